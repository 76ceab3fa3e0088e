// One neuron: the half-plane in which it fires, and where on its curve the marked point stands.
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { short } from "../../core/numbers";
import { activation } from "../maths/activations";
import { line, pointed, scale, svgFigure, text, trail } from "../svg";

export interface NeuronData {
  w1: number;
  w2: number;
  b: number;
  activation: string;
  point: readonly [number, number];
  says: Words;
  onPoint: (point: readonly [number, number]) => void;
}

const CELLS = 28;
const HEIGHT = 330;

export const mountNeuron = svgFigure<NeuronData>(HEIGHT, ({ svg, ink, options }, data) => {
  const { language } = options;
  const phi = activation(data.activation);
  const x = scale(-2, 2, 40, 320);
  const y = scale(-2, 2, 300, 20);
  const sum = (x1: number, x2: number): number => data.w1 * x1 + data.w2 * x2 + data.b;
  const values = Array.from({ length: CELLS * CELLS }, (_, at) => phi.f(sum(-2 + ((at % CELLS) + 0.5) * (4 / CELLS), -2 + (Math.floor(at / CELLS) + 0.5) * (4 / CELLS))));
  const [low, high] = [Math.min(...values, 0), Math.max(...values, 1e-9)];
  const size = 280 / CELLS;
  values.forEach((value, at) => {
    svg.append(drawn("rect", { x: 40 + (at % CELLS) * size, y: 300 - (Math.floor(at / CELLS) + 1) * size, width: size, height: size, "shape-rendering": "crispEdges", fill: ink.accent, opacity: 0.04 + 0.66 * ((value - low) / (high - low)) }));
  });
  svg.append(border(data, x, y, ink.ink), line(40, 300, 320, 300, ink.muted), line(40, 20, 40, 300, ink.muted));
  svg.append(text(320, 320, say(data.says["x1"]!, language), ink.muted, { "text-anchor": "end" }), text(40, 14, say(data.says["x2"]!, language), ink.muted));
  for (const [u, v] of [[-1, -1], [1, 1], [-1, 1], [1, -1]] as const) svg.append(drawn("circle", { cx: x(u), cy: y(v), r: 4, fill: u * v > 0 ? ink.card : ink.ink, stroke: ink.ink, "stroke-width": 1.5 }));
  const z = sum(...data.point);
  svg.append(drawn("path", { d: `M${x(data.point[0]) - 7} ${y(data.point[1])}h14m-7-7v14`, stroke: ink.error, "stroke-width": 2.5 }));
  const right = scale(-4, 4, 370, 620);
  const grid = Array.from({ length: 161 }, (_, at) => -4 + at / 20);
  const outputs = grid.map(phi.f);
  const up = scale(Math.min(-0.5, ...outputs), Math.max(1.2, ...outputs), 300, 50);
  svg.append(line(370, up(0), 620, up(0), ink.line), line(right(0), 50, right(0), 300, ink.line));
  svg.append(trail(grid.map((at, place) => [right(at), up(outputs[place]!)] as const), ink.accent, { "stroke-width": 2.5 }));
  svg.append(trail(grid.map((at) => [right(at), up(phi.slope(at))] as const), ink.warning, { "stroke-dasharray": "5 4" }));
  const shown = Math.max(-4, Math.min(4, z));
  svg.append(drawn("circle", { cx: right(shown), cy: up(phi.f(shown)), r: 5.5, fill: ink.error }));
  svg.append(text(370, 32, say(data.says["curve"]!, language), ink.muted), text(620, 320, say(data.says["z"]!, language), ink.muted, { "text-anchor": "end" }));
  const move = (event: PointerEvent): void => {
    const [px, py] = pointed(svg, event);
    if (px >= 40 && px <= 320 && py >= 20 && py <= 300) data.onPoint([Number(x.back(px).toFixed(2)), Number(y.back(py).toFixed(2))]);
  };
  svg.onpointerdown = move;
  svg.onpointermove = (event) => event.buttons && move(event);
  svg.onkeydown = (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    data.onPoint([data.point[0] + by[0]!, data.point[1] + by[1]!]);
  };
  const corners = [[-1, -1], [-1, 1], [1, -1], [1, 1]] as const;
  return {
    label: say(data.says["alt"]!, language),
    table: { heads: ["x₁", "x₂", "z", "y"], rows: [...corners, data.point].map(([u, v]) => [u, v, Number(short(sum(u, v)).replace("−", "-")), Number(phi.f(sum(u, v)).toPrecision(4))]) },
  };
});

/** The line on which z is 0, as far as the plane goes. */
function border({ w1, w2, b }: NeuronData, x: (value: number) => number, y: (value: number) => number, ink: string): SVGElement {
  const ends = Math.abs(w2) > Math.abs(w1) ? ([-2, 2] as const).map((u) => [u, -(w1 * u + b) / w2] as const) : ([-2, 2] as const).map((v) => [-(w2 * v + b) / w1, v] as const);
  const clip = drawn("g", {});
  if (Math.abs(w1) + Math.abs(w2) < 1e-9) return clip;
  const id = "plane-of-the-neuron";
  clip.append(drawn("clipPath", { id }, drawn("rect", { x: 40, y: 20, width: 280, height: 280 })), trail(ends.map(([u, v]) => [x(u), y(v)] as const), ink, { "clip-path": `url(#${id})`, "stroke-width": 2.5 }));
  return clip;
}
