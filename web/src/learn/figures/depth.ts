// A deep network on the plane, drawn as wires or as a flow of data, with the border it has learned.
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { accuracy, type Dense, type Example } from "../maths/dense";
import { line, scale, svgFigure, text, type Sheet } from "../svg";

export interface DepthData {
  net: Dense;
  examples: readonly Example[];
  hasPhi: boolean;
  isFlow: boolean;
  says: Words;
}

const CELLS = 32;
const HEIGHT = 330;

export const mountDepth = svgFigure<DepthData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { language } = options;
  if (data.isFlow) flow(sheet, data);
  else wires(sheet, data);
  const x = scale(-1.15, 1.15, 360, 630);
  const y = scale(-1.15, 1.15, 300, 30);
  const size = 270 / CELLS;
  for (let at = 0; at < CELLS * CELLS; at += 1) {
    const [column, row] = [at % CELLS, Math.floor(at / CELLS)];
    const value = data.net.says([-1.15 + (column + 0.5) * (2.3 / CELLS), -1.15 + (row + 0.5) * (2.3 / CELLS)]);
    svg.append(drawn("rect", { x: 360 + column * size, y: 300 - (row + 1) * size, width: size, height: size, "shape-rendering": "crispEdges", fill: value > 0.5 ? ink.accent : ink.warning, opacity: 0.08 + 0.5 * Math.abs(value - 0.5) * 2 }));
  }
  for (const { x: point, label } of data.examples) svg.append(drawn("circle", { cx: x(point[0]), cy: y(point[1]), r: 3.4, fill: label ? ink.accent : ink.warning, stroke: ink.card, "stroke-width": 1 }));
  const right = accuracy(data.net, data.examples);
  if (!data.hasPhi) {
    const { w, b } = data.net.matrix();
    svg.append(text(20, HEIGHT - 46, say(data.says["matrix"]!, language), ink.muted), text(20, HEIGHT - 24, `[${[...w.map((row) => row[0]!), b[0]!].map((value) => value.toFixed(3).replace("-", "−")).join("  ")}]`, ink.ink, { "font-size": 16 }));
  }
  const rows = data.net.widths.map((width, at) => [at, width] as (string | number)[]);
  return { label: `${say(data.says["alt"]!, language)} ${Math.round(100 * right)} %`, table: { heads: ["layer", "width"], rows } };
});

function wires({ svg, ink, options }: Sheet, { net, says }: DepthData): void {
  const places = net.widths.map((width, at) => Array.from({ length: width }, (_, unit) => [30 + (at * 290) / (net.widths.length - 1), 140 + (unit - (width - 1) / 2) * Math.min(34, 220 / width)] as const));
  net.layers.forEach(({ w }, at) => w.forEach((row, k) => row.forEach((weight, j) => svg.append(line(...places[at]![k]!, ...places[at + 1]![j]!, weight > 0 ? ink.accent : ink.warning, { opacity: Math.min(0.9, 0.1 + 0.5 * Math.abs(weight)) })))));
  for (const layer of places) for (const [cx, cy] of layer) svg.append(drawn("circle", { cx, cy, r: 6, fill: ink.card, stroke: ink.ink }));
  const count = net.layers.reduce((sum, { w }) => sum + w.length * w[0]!.length, 0);
  svg.append(text(20, 22, say(says["wiresay"]!, options.language, { wires: count }), ink.muted));
}

function flow({ svg, ink, options }: Sheet, { net, says, hasPhi }: DepthData): void {
  const gap = 250 / net.layers.length;
  const middle = 175;
  svg.append(text(20, 22, say(says["flowsay"]!, options.language, { boxes: net.layers.length }), ink.muted));
  svg.append(drawn("circle", { cx: middle, cy: 42, r: 13, fill: ink.card, stroke: ink.ink }), text(middle, 47, "X", ink.ink, { "text-anchor": "middle" }));
  net.layers.forEach(({ w }, at) => {
    const top = 62 + at * gap;
    const isLast = at === net.layers.length - 1;
    svg.append(line(middle, top - 8, middle, top + 4, ink.ink), drawn("rect", { x: middle - 78, y: top + 4, width: 156, height: Math.min(34, gap - 14), rx: 6, fill: ink.faint, stroke: ink.accent }));
    svg.append(text(middle, top + 4 + Math.min(34, gap - 14) / 2 + 5, `${hasPhi && !isLast ? "φ" : ""}(X·W${"₁₂₃₄₅₆₇₈₉"[at] ?? ""} + b)`, ink.ink, { "text-anchor": "middle" }), text(middle + 88, top + 26, `${w.length} × ${w[0]!.length}`, ink.muted, { "font-size": 12 }));
  });
}
