// The network as it is built: a column of neurons for each layer, a stroke for each weight; of what does not fit the middle is left out.
import { drawn } from "../core/component";
import { line, svgFigure, text, type Sheet } from "../learn/svg";
import type { Block, LayerSight } from "../wire";

export interface NetworkData {
  layers: readonly LayerSight[];
  blocks: readonly Block[];
  hasShortcuts: boolean;
  label: string;
  heads: readonly string[];
}

/** One column of neurons. */
export interface Column {
  /** How many neurons there are, and how many are drawn. */
  all: number;
  shown: number;
  /** Weights from the column before; empty for the inputs. */
  weights: readonly (readonly (number | null)[])[];
  /** What stands between the linear map and this column's outputs. */
  between: string;
  /** Columns left out before this one. */
  skipped: number;
}

const [TOP, BOTTOM, LEFT] = [58, 250, 36];
const HEIGHT = 282;
const [WIDE, NARROW] = [640, 380]; // units; in a narrow place fewer, so that its letters stay as large

/** What follows each linear map of the trunk, and from which to which column shortcuts lead (column 0 is the inputs). */
export function structure(blocks: readonly Block[]): { between: string[]; arcs: [number, number][] } {
  const between: string[] = [""];
  const arcs: [number, number][] = [];
  const walk = (all: readonly Block[]): void => {
    for (const block of all) {
      if (block.kind === "linear") between.push("");
      else if (block.kind === "residual") {
        const from = between.length - 1;
        walk(block.blocks);
        if (between.length - 1 > from) arcs.push([from, between.length - 1]);
      } else if (block.kind === "activation" || block.kind === "norm") between[between.length - 1] += `${between.at(-1) ? " · " : ""}${block.name}`;
      else between[between.length - 1] += `${between.at(-1) ? " · " : ""}${block.kind}`;
    }
  };
  walk(blocks);
  between.push(""); // the outputs of the task
  return { between, arcs };
}

/** The columns that are drawn, and the column of the network that each one is. */
export function columnsOf(layers: readonly LayerSight[], between: readonly string[], most = 8): { columns: Column[]; places: number[] } {
  const trunk = layers.filter((one) => one.name.split(".").at(-1) !== "shortcut");
  const first = trunk[0];
  if (!first) return { columns: [], places: [] };
  const columns: Column[] = [{ all: first.inputs, shown: Math.min(first.inputs, most), weights: [], between: between[0] ?? "", skipped: 0 }];
  const places = [0];
  let skipped = 0;
  trunk.forEach((layer, at) => {
    if (!layer.weights.length) {
      skipped += 1;
      return;
    }
    columns.push({ all: layer.outputs, shown: Math.min(layer.outputs, most), weights: layer.weights, between: between[at + 1] ?? "", skipped });
    places.push(at + 1);
    skipped = 0;
  });
  return { columns, places };
}

export const mountNetwork = svgFigure<NetworkData>(HEIGHT, (sheet, { layers, blocks, hasShortcuts, label, heads }) => {
  const { between, arcs } = structure(blocks);
  const { columns, places } = columnsOf(layers, between);
  const width = sheet.svg.clientWidth && sheet.svg.clientWidth < 480 ? NARROW : WIDE;
  sheet.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
  const gap = (width - 2 * LEFT) / Math.max(1, columns.length - 1);
  const xs = columns.map((_, at) => LEFT + at * gap);
  const ys = (column: Column): number[] => Array.from({ length: column.shown }, (_, at) => (TOP + BOTTOM) / 2 + (at - (column.shown - 1) / 2) * Math.min(24, (BOTTOM - TOP) / Math.max(1, column.shown)));
  if (hasShortcuts) for (const [from, to] of arcs) arc(sheet, xs[places.indexOf(from)], xs[places.indexOf(to)]);
  columns.forEach((column, at) => {
    if (at) strokes(sheet, column, xs[at - 1]!, xs[at]!, ys(columns[at - 1]!), ys(column));
  });
  columns.forEach((column, at) => neurons(sheet, column, xs[at]!, ys(column), gap, at === columns.length - 1));
  const table = { heads: [...heads], rows: layers.map((one) => [one.name, one.inputs, one.outputs, one.weight_norm ?? NaN]) };
  return { label, table };
});

function arc({ svg, ink }: Sheet, from: number | undefined, to: number | undefined): void {
  if (from === undefined || to === undefined || to <= from) return; // an end of it is left out
  const high = Math.max(30, TOP - 18 - (to - from) / 16); // below the names of the activations
  svg.append(drawn("path", { d: `M${from} ${TOP - 12}C${from} ${high} ${to} ${high} ${to} ${TOP - 12}`, fill: "none", stroke: ink.muted, "stroke-width": 1.5, "data-shortcut": 1 }));
}

function strokes({ svg, ink }: Sheet, column: Column, from: number, to: number, before: readonly number[], after: readonly number[]): void {
  if (column.skipped) {
    svg.append(text((from + to) / 2, (TOP + BOTTOM) / 2 + 5, `… +${column.skipped}`, ink.muted, { "text-anchor": "middle", "data-skipped": column.skipped }));
    return;
  }
  const most = Math.max(1e-12, ...column.weights.flat().map((weight) => Math.abs(weight ?? 0)));
  column.weights.forEach((row, output) =>
    row.forEach((weight, input) => {
      const [y1, y2] = [before[input], after[output]];
      if (y1 === undefined || y2 === undefined) return;
      const share = weight === null ? 1 : Math.abs(weight) / most;
      const colour = weight === null ? ink.error : weight >= 0 ? ink.accent : ink.warning;
      svg.append(line(from, y1, to, y2, colour, { "stroke-width": (0.3 + 3 * share).toFixed(2), "stroke-opacity": (0.15 + 0.75 * share).toFixed(2), "data-weight": weight ?? "NaN" }));
    }),
  );
}

function neurons({ svg, ink }: Sheet, column: Column, x: number, ys: readonly number[], gap: number, isLast: boolean): void {
  for (const y of ys) svg.append(drawn("circle", { cx: x, cy: y, r: Math.min(8, 3 + 40 / Math.max(1, ys.length)), fill: ink.card, stroke: ink.ink, "stroke-width": 1.4, "data-neuron": 1 }));
  svg.append(text(x, BOTTOM + 28, String(column.all), ink.ink, { "text-anchor": "middle", "font-weight": 600 }));
  if (column.all > column.shown) svg.append(text(x, BOTTOM + 10, "⋮", ink.muted, { "text-anchor": "middle" }));
  const room = Math.floor(gap / 6.6);
  if (column.between && room >= 4 && !isLast) svg.append(text(x, 20, column.between.length > room ? `${column.between.slice(0, room - 1)}…` : column.between, ink.muted, { "text-anchor": "middle", "font-size": 12 }));
}
