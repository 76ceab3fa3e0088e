// A small histogram for each activation: what it gives out over the held-out examples.
import { drawn } from "../core/component";
import { short } from "../core/numbers";
import { svgFigure, text } from "../learn/svg";
import type { ActivationSight } from "../wire";

export interface HistogramsData {
  activations: readonly ActivationSight[];
  label: string;
}

const COLUMNS = 6;
const WIDTH = 98;
const HEIGHT = 66;

export const heightFor = (count: number): number => Math.max(1, Math.ceil(count / COLUMNS)) * (HEIGHT + 34) + 6;

export const mountHistograms = svgFigure<HistogramsData>(HEIGHT + 40, ({ svg, ink }, { activations, label }) => {
  svg.setAttribute("viewBox", `0 0 640 ${heightFor(activations.length)}`);
  activations.forEach((one, at) => {
    const left = 6 + (at % COLUMNS) * (WIDTH + 8);
    const top = 16 + Math.floor(at / COLUMNS) * (HEIGHT + 34);
    const most = Math.max(...one.counts, 1);
    const width = WIDTH / one.counts.length;
    svg.append(drawn("rect", { x: left, y: top, width: WIDTH, height: HEIGHT, fill: ink.faint }), text(left, top - 4, one.name, ink.muted, { "font-size": 11 }));
    one.counts.forEach((count, bin) => {
      const height = Math.sqrt(count / most) * (HEIGHT - 4);
      svg.append(drawn("rect", { x: left + bin * width, y: top + HEIGHT - height, width: Math.max(0.5, width - 0.6), height, fill: one.dead > 0.5 ? ink.error : ink.accent }));
    });
    svg.append(text(left, top + HEIGHT + 12, short(one.low), ink.muted, { "font-size": 10 }), text(left + WIDTH, top + HEIGHT + 12, short(one.high), ink.muted, { "font-size": 10, "text-anchor": "end" }));
  });
  return { label, table: { heads: ["", "low", "high", "dead"], rows: activations.map((one) => [one.name, one.low, one.high, one.dead]) } };
});
