// Figures of the chapters: drawn as SVG from data, redrawn at most once a frame.
import { themed } from "../core/colours";
import { drawn, element, onceAFrame, pngOf, type Mount, type Options, type Table } from "../core/component";

export interface Ink {
  ink: string;
  muted: string;
  line: string;
  faint: string;
  card: string;
  accent: string;
  warning: string;
  error: string;
}

/** What a figure draws on. */
export interface Sheet {
  svg: SVGSVGElement;
  ink: Ink;
  options: Options;
}

export interface Shown {
  /** What the picture shows, in one sentence, for those who do not see it. */
  label: string;
  table: Table;
}

const WIDTH = 640;

const INKS = ["ink", "muted", "line", "faint", "card", "accent", "warning", "error"] as const;

/** The colours of the theme, as they are where the picture stands. */
export const inkOf = (svg: SVGSVGElement): Ink => Object.fromEntries(INKS.map((name) => [name, themed(svg, name) || "#808080"])) as unknown as Ink;

/** A picture as a file of its own. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "sans-serif");
  return copy.outerHTML;
}

/** A picture as a PNG of twice its size, on the ground of its card. */
export async function svgPNG(svg: SVGSVGElement, width: number, height: number): Promise<Blob> {
  const sized = svg.cloneNode(true) as SVGSVGElement;
  sized.setAttribute("width", String(2 * width));
  sized.setAttribute("height", String(2 * height));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(sized))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * width;
  canvas.height = 2 * height;
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  return pngOf(themed(svg, "card") || "#ffffff", canvas);
}

/** A component from one drawing function; `height` in the units of a width of 640. */
export function svgFigure<Data>(height: number, draw: (sheet: Sheet, data: Data) => Shown): Mount<Data> {
  return (el, data, options) => {
    const svg = drawn("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", class: "learn-figure", tabindex: 0 });
    const host = element("div", { class: "figure" });
    host.append(svg);
    el.append(host);
    let current = data;
    let table: Table = { heads: [], rows: [] };
    const paint = (): void => {
      const ink = inkOf(svg);
      svg.replaceChildren();
      const shown = draw({ svg, ink, options }, current);
      svg.setAttribute("aria-label", shown.label);
      table = shown.table;
    };
    const frame = onceAFrame(paint);
    paint();
    return {
      update(delta): void {
        current = { ...current, ...delta };
        frame.ask();
      },
      destroy(): void {
        frame.cancel();
        host.remove();
      },
      toSVG: () => svgText(svg),
      toPNG: () => svgPNG(svg, WIDTH, height),
      toPython: () => pythonOf(table),
      table: () => table,
    };
  };
}

/** A script that draws the columns of a table over its first one. */
export function pythonOf(table: Table): string {
  const numeric = table.heads.map((_, at) => table.rows.every((row) => typeof row[at] === "number"));
  const columns = table.heads.map((head, at) => `    ${JSON.stringify(head)}: [${table.rows.map((row) => (typeof row[at] === "number" ? (Number.isFinite(row[at]) ? row[at] : 'float("nan")') : JSON.stringify(row[at]))).join(", ")}],`);
  const drawnColumns = table.heads.slice(1).filter((_, at) => numeric[at + 1]);
  return ["import matplotlib.pyplot as plt", "", "data = {", ...columns, "}", `x = data[${JSON.stringify(table.heads[0] ?? "")}]`, `for name in ${JSON.stringify(drawnColumns)}:`, "    plt.plot(x, data[name], label=name)", `plt.xlabel(${JSON.stringify(table.heads[0] ?? "")})`, "plt.legend()", "plt.show()", ""].join("\n");
}

export interface Scale {
  (value: number): number;
  back(pixel: number): number;
}

export function scale(from: number, to: number, low: number, high: number): Scale {
  const forth = ((value: number) => low + ((value - from) / (to - from)) * (high - low)) as Scale;
  forth.back = (pixel) => from + ((pixel - low) / (high - low)) * (to - from);
  return forth;
}

export function text(x: number, y: number, content: string, ink: string, more: Record<string, string | number> = {}): SVGTextElement {
  const node = drawn("text", { x, y, fill: ink, "font-size": 13, ...more }, content);
  node.style.fill = ink; // the style sheet has a colour for texts that say none
  return node;
}

export const line = (x1: number, y1: number, x2: number, y2: number, ink: string, more: Record<string, string | number> = {}): SVGLineElement =>
  drawn("line", { x1, y1, x2, y2, stroke: ink, "stroke-width": 1, ...more });

/** A path through points; breaks where a number is not finite. */
export function trail(points: readonly (readonly [number, number])[], ink: string, more: Record<string, string | number> = {}): SVGPathElement {
  let isDown = false;
  const d = points
    .map(([x, y]) => {
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        isDown = false;
        return "";
      }
      const part = `${isDown ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`;
      isDown = true;
      return part;
    })
    .join("");
  return drawn("path", { d, fill: "none", stroke: ink, "stroke-width": 1.75, ...more });
}

/** Where a pointer is, in the units of the figure. */
export function pointed(svg: SVGSVGElement, event: PointerEvent): readonly [number, number] {
  const box = svg.getBoundingClientRect();
  const view = svg.viewBox.baseVal;
  return [((event.clientX - box.left) / box.width) * view.width, ((event.clientY - box.top) / box.height) * view.height];
}

/** Axes with a few ticks and their names. */
export function axes(sheet: Sheet, x: Scale, y: Scale, frame: { left: number; right: number; top: number; bottom: number }, xTicks: readonly number[], yTicks: readonly number[], names: { x: string; y: string }): void {
  const { svg, ink } = sheet;
  const { left, right, top, bottom } = frame;
  svg.append(line(left, bottom, right, bottom, ink.muted), line(left, top, left, bottom, ink.muted));
  for (const at of xTicks) svg.append(line(x(at), bottom, x(at), bottom + 4, ink.muted), text(x(at), bottom + 18, String(Number(at.toPrecision(6))).replace("-", "−"), ink.muted, { "text-anchor": "middle", "font-size": 12 }));
  for (const at of yTicks) svg.append(line(left - 4, y(at), left, y(at), ink.muted), text(left - 8, y(at) + 4, String(Number(at.toPrecision(6))).replace("-", "−"), ink.muted, { "text-anchor": "end", "font-size": 12 }));
  svg.append(text(right, bottom + 36, names.x, ink.muted, { "text-anchor": "end" }), text(left, top - 10, names.y, ink.muted, { "text-anchor": "start" }));
}
