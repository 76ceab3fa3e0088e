// The surface of the loss over two weights from above, and the walk of a ball on it.
import { drawn } from "../../core/component";
import { say, type Words } from "../../core/language";
import { walk, type Point } from "../maths/descent";
import { axes, line, pointed, scale, svgFigure, text, trail } from "../svg";

export interface DescentData {
  start: Point;
  rate: number;
  steps: number;
  says: Words;
  onDrop: (start: Point) => void;
}

const HEIGHT = 360;
const REACH = 2;
const HEIGHTS = [0.01, 0.08, 0.25, 0.6, 1.2, 2.2, 4];

export const mountDescent = svgFigure<DescentData>(HEIGHT, (sheet, data) => {
  const { svg, ink, options } = sheet;
  const { language } = options;
  const x = scale(-REACH, REACH, 46, 330);
  const y = scale(-REACH, REACH, 314, 30);
  const clip = "plane-of-two-weights";
  svg.append(drawn("clipPath", { id: clip }, drawn("rect", { x: 46, y: 30, width: 284, height: 284 })));
  const plane = drawn("g", { "clip-path": `url(#${clip})` });
  svg.append(plane);
  for (const c of HEIGHTS) for (const side of [1, -1]) plane.append(...hyperbola(1 + side * Math.sqrt(2 * c), x, y, ink.muted, 0.55));
  plane.append(...hyperbola(1, x, y, ink.accent, 1, 3));
  const path = walk(data.start, data.rate, data.steps);
  plane.append(trail(path.slice(0, 200).map(([u, v]) => [x(u), y(v)] as const), ink.error, { "stroke-width": 1.2, opacity: 0.75 }));
  path.slice(0, 200).forEach(([u, v], at) => plane.append(drawn("circle", { cx: x(u), cy: y(v), r: at ? 2.2 : 6, fill: ink.error, opacity: at ? 0.8 : 1 })));
  axes(sheet, x, y, { left: 46, right: 330, top: 30, bottom: 314 }, [-2, -1, 0, 1, 2], [-2, -1, 0, 1, 2], { x: say(data.says["u"]!, language), y: say(data.says["v"]!, language) });
  const products = path.map(([u, v]) => u * v);
  const t = scale(0, data.steps, 394, 628);
  const p = scale(-0.6, 2.2, 314, 30);
  svg.append(line(394, p(1), 628, p(1), ink.accent, { "stroke-dasharray": "5 4" }));
  svg.append(trail(products.map((value, at) => [t(at), p(Math.max(-0.6, Math.min(2.2, value)))] as const), ink.error, { "stroke-width": 1.2 }));
  products.forEach((value, at) => svg.append(drawn("circle", { cx: t(at), cy: p(Math.max(-0.6, Math.min(2.2, value))), r: 1.8, fill: ink.error })));
  axes(sheet, t, p, { left: 394, right: 628, top: 30, bottom: 314 }, [0, data.steps / 2, data.steps], [0, 1, 2], { x: say(data.says["step"]!, language), y: "" });
  svg.append(text(394, 20, say(data.says["error"]!, language), ink.muted, { "font-size": 12 }));
  svg.onpointerdown = (event) => {
    const [px, py] = pointed(svg, event);
    if (px >= 46 && px <= 330 && py >= 30 && py <= 314) data.onDrop([Number(x.back(px).toFixed(2)), Number(y.back(py).toFixed(2))]);
  };
  svg.onkeydown = (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    data.onDrop([data.start[0] + by[0]!, data.start[1] + by[1]!]);
  };
  return { label: say(data.says["alt"]!, language), table: { heads: ["step", "u", "v", "u·v"], rows: path.map(([u, v], at) => [at, u, v, u * v]) } };
});

/** Both branches of u v = c within the plane. */
function hyperbola(c: number, x: (value: number) => number, y: (value: number) => number, ink: string, opacity: number, width = 1): SVGElement[] {
  const branch = (sign: number): SVGElement => {
    const points = Array.from({ length: 80 }, (_, at) => {
      const u = sign * 0.04 * (REACH / 0.04) ** (at / 79) * 1.05;
      return [x(u), y(c / u)] as const;
    });
    return trail(points, ink, { opacity, "stroke-width": width });
  };
  return [branch(1), branch(-1)];
}
