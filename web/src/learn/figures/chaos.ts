// Twins that differ by a hair: their distance after each step, and where both are.
import { say, type Words } from "../../core/language";
import { distances, walk, type Point } from "../maths/descent";
import { axes, scale, svgFigure, text, trail } from "../svg";

export interface ChaosData {
  start: Point;
  rate: number;
  apart: number;
  steps: number;
  /** The exponent along the orbit, for the dashed line. */
  exponent: number;
  says: Words;
}

const HEIGHT = 340;

export const mountChaos = svgFigure<ChaosData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { language } = options;
  const apart = distances(data.start, data.rate, data.steps, data.apart);
  const t = scale(0, data.steps, 56, 628);
  const y = scale(-16, 1, 206, 30);
  const height = (value: number): number => Math.max(-16, Math.log10(Math.max(value, 1e-16)));
  svg.append(trail(apart.map((value, at) => [t(at), y(height(value))] as const), ink.error, { "stroke-width": 2 }));
  const fitted = Array.from({ length: data.steps }, (_, at) => [at, Math.log10(data.apart) + (data.exponent * at) / Math.LN10] as const).filter(([, value]) => value < 0.5 && value > -16);
  if (Number.isFinite(data.exponent)) svg.append(trail(fitted.map(([at, value]) => [t(at), y(value)] as const), ink.accent, { "stroke-dasharray": "6 5" }));
  axes(sheet, t, y, { left: 56, right: 628, top: 30, bottom: 206 }, [], [-16, -12, -8, -4, 0], { x: "", y: say(data.says["axis"]!, language) });
  const p = scale(-0.5, 2.2, 318, 236);
  const twins = [walk(data.start, data.rate, data.steps), walk([data.start[0] + data.apart, data.start[1]], data.rate, data.steps)];
  twins.forEach((path, which) => svg.append(trail(path.map(([u, v], at) => [t(at), p(Math.max(-0.5, Math.min(2.2, u * v)))] as const), which ? ink.error : ink.accent, { "stroke-width": 1.3, ...(which ? { "stroke-dasharray": "4 3" } : {}) })));
  svg.append(text(56, 228, say(data.says["error"]!, language), ink.muted));
  axes(sheet, t, p, { left: 56, right: 628, top: 236, bottom: 318 }, [0, data.steps / 2, data.steps], [0, 1, 2], { x: "", y: "" });
  svg.append(text(628, 230, say(data.says["step"]!, language), ink.muted, { "text-anchor": "end" }));
  return { label: say(data.says["alt"]!, language), table: { heads: ["step", "distance"], rows: apart.map((value, at) => [at, value]) } };
});
