// Two odometers: numerical derivatives and backpropagation, measured here, extrapolated beyond.
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { short } from "../../core/numbers";
import { BACKPROP, numericPasses, type Comparison } from "../maths/counting";
import { axes, scale, svgFigure, text, trail } from "../svg";

export interface CountingData {
  /** What was measured in this page, smallest network first. */
  measured: readonly Comparison[];
  weights: number;
  isCentral: boolean;
  says: Words;
}

const HEIGHT = 330;

/** Milliseconds for `weights`, by the law that its passes follow: quadratic numerically, linear by backpropagation, from the largest measured network. */
export function extrapolated(measured: readonly Comparison[], weights: number): { numeric: number; backprop: number } {
  const last = measured.at(-1)!;
  const ratio = weights / last.weights;
  return { numeric: last.numericMilliseconds * ratio * ratio, backprop: last.backpropMilliseconds * ratio };
}

export const mountCounting = svgFigure<CountingData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { language } = options;
  const passes = numericPasses(data.weights, data.isCentral);
  odometer(20, String(passes.forward), say(data.says["numeric_name"]!, language), ink.error);
  odometer(330, `${BACKPROP.forward} + ${BACKPROP.backward}`, say(data.says["backprop_name"]!, language), ink.accent);
  const x = scale(1, 6, 66, 628);
  const times = [...data.measured.map((one) => one.numericMilliseconds), ...data.measured.map((one) => one.backpropMilliseconds)].filter((one) => one > 0);
  const far = extrapolated(data.measured, 1e6);
  const y = scale(Math.floor(Math.log10(Math.min(...times, 1e-3))), Math.ceil(Math.log10(far.numeric)), 278, 100);
  const place = (weights: number, time: number): readonly [number, number] => [x(Math.log10(weights)), y(Math.log10(Math.max(time, 1e-4)))];
  const last = data.measured.at(-1)!;
  svg.append(trail(data.measured.map((one) => place(one.weights, one.numericMilliseconds)), ink.error, { "stroke-width": 2.5 }), trail([place(last.weights, last.numericMilliseconds), place(1e6, far.numeric)], ink.error, { "stroke-dasharray": "6 5" }));
  svg.append(trail(data.measured.map((one) => place(one.weights, one.backpropMilliseconds)), ink.accent, { "stroke-width": 2.5 }), trail([place(last.weights, last.backpropMilliseconds), place(1e6, far.backprop)], ink.accent, { "stroke-dasharray": "6 5" }));
  svg.append(drawn("line", { x1: x(Math.log10(data.weights)), x2: x(Math.log10(data.weights)), y1: 100, y2: 278, stroke: ink.ink, "stroke-dasharray": "2 3" }));
  svg.append(text(628, 112, say(data.says["extrapolated_name"]!, language), ink.muted, { "text-anchor": "end" }));
  axes(sheet, x, y, { left: 66, right: 628, top: 100, bottom: 278 }, [1, 2, 3, 4, 5, 6], [], { x: `${say(data.says["axis"]!, language)}, log₁₀`, y: `${say(data.says["time"]!, language)}, log₁₀ ${say(data.says["ms"]!, language)}` });
  for (let at = Math.ceil(y.back(278)); at <= y.back(100); at += 2) svg.append(text(58, y(at) + 4, String(at).replace("-", "−"), ink.muted, { "text-anchor": "end", "font-size": 12 }));
  function odometer(left: number, value: string, name: string, paint: string): void {
    svg.append(drawn("rect", { x: left, y: 12, width: 290, height: 58, rx: 8, fill: ink.faint, stroke: paint }), text(left + 12, 32, name, ink.muted), text(left + 278, 60, value.replace(/\B(?=(\d{3})+(?!\d))/g, "\u2009"), ink.ink, { "text-anchor": "end", "font-size": 24, "font-weight": 650 }));
  }
  return {
    label: say(data.says["alt"]!, language),
    table: { heads: ["weights", "numeric, ms", "backpropagation, ms", "difference"], rows: data.measured.map((one) => [one.weights, one.numericMilliseconds, one.backpropMilliseconds, Number(short(one.difference).replace("−", "-"))]) },
  };
});
