// Pictures of the tunnel: SVG as wide as its place, so that text keeps its size; and axes, equal or by factors.
import { drawn, element, onceAFrame, onWidth, type Mount, type Table } from "../core/component";
import { short, ticks } from "../core/numbers";
import { inkOf, line, pythonOf, svgPNG, svgText, text, type Shown, type Sheet } from "../learn/svg";

export interface Paper extends Sheet {
  width: number;
  height: number;
  /** Edges of the plotting area. */
  frame: { left: number; right: number; top: number; bottom: number };
}

/** A component from one drawing function, drawn anew when data or width change. */
export function paper<Data>(height: number | ((data: Data) => number), draw: (sheet: Paper, data: Data) => Shown): Mount<Data> {
  return (el, data, options) => {
    const svg = drawn("svg", { role: "img", tabindex: 0 });
    const host = element("div", { class: "figure" });
    host.append(svg);
    el.append(host);
    let current = data;
    let table: Table = { heads: [], rows: [] };
    let size = { width: 640, height: 300 };
    const paint = (): void => {
      size = { width: Math.max(280, Math.round(host.clientWidth || el.clientWidth || 640)), height: typeof height === "number" ? height : height(current) };
      for (const [name, value] of Object.entries({ viewBox: `0 0 ${size.width} ${size.height}`, width: size.width, height: size.height })) svg.setAttribute(name, String(value));
      svg.style.display = "block";
      svg.style.maxWidth = "100%";
      const ink = inkOf(svg);
      svg.replaceChildren();
      const shown = draw({ svg, ink, options, ...size, frame: { left: 62, right: size.width - 14, top: 26, bottom: size.height - 46 } }, current);
      svg.setAttribute("aria-label", shown.label);
      table = shown.table;
    };
    const frame = onceAFrame(paint);
    paint();
    const stop = onWidth(host, () => frame.ask());
    return {
      update(delta): void {
        current = { ...current, ...delta };
        frame.ask();
      },
      destroy(): void {
        frame.cancel();
        stop();
        host.remove();
      },
      toSVG: () => svgText(svg),
      toPNG: () => svgPNG(svg, size.width, size.height),
      toPython: () => pythonOf(table),
      table: () => table,
    };
  };
}

export interface Axis {
  low: number;
  high: number;
  isLog: boolean;
  /** The pixel of a value. */
  at(value: number): number;
  back(pixel: number): number;
  ticks: number[];
}

/** An axis from `low` to `high` between two pixels; by factors where it is asked for and both ends are positive. */
export function axis(low: number, high: number, from: number, to: number, isLog = false): Axis {
  const byFactors = isLog && low > 0;
  const inner = byFactors ? Math.log : (value: number): number => value;
  const outer = byFactors ? Math.exp : (value: number): number => value;
  const [a, b] = [inner(low), inner(high)];
  const span = b - a || 1;
  return {
    low,
    high,
    isLog: byFactors,
    at: (value) => from + ((inner(value) - a) / span) * (to - from),
    back: (pixel) => outer(a + ((pixel - from) / (to - from || 1)) * span),
    ticks: byFactors ? decades(low, high, Math.abs(to - from)) : ticks(low, high, Math.max(2, Math.abs(to - from) / 90)),
  };
}

function decades(low: number, high: number, pixels: number): number[] {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  if (to - from < 1) return ticks(low, high, Math.max(2, pixels / 90)).filter((value) => value > 0);
  const room = pixels / (to - from);
  const marks = room > 190 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(46 / room));
  const found: number[] = [];
  for (let power = Math.floor(from); power <= to; power += 1) if (power % stride === 0) found.push(...marks.map((mark) => Number(`${mark}e${power}`)));
  return found.filter((value) => value >= low * 0.9999 && value <= high * 1.0001);
}

/** Both axes of a picture with their names. */
export function dress({ svg, ink, frame }: Paper, x: Axis, y: Axis | null, names: { x: string; y: string }): void {
  const { left, right, top, bottom } = frame;
  svg.append(line(left, bottom, right, bottom, ink.muted), line(left, top, left, bottom, ink.muted));
  for (const value of x.ticks) svg.append(line(x.at(value), bottom, x.at(value), bottom + 4, ink.muted), text(x.at(value), bottom + 17, tick(value), ink.muted, { "text-anchor": "middle", "font-size": 12 }));
  for (const value of y?.ticks ?? []) svg.append(line(left - 4, y!.at(value), left, y!.at(value), ink.muted), text(left - 7, y!.at(value) + 4, tick(value), ink.muted, { "text-anchor": "end", "font-size": 12 }));
  svg.append(text(right, bottom + 36, names.x, ink.muted, { "text-anchor": "end" }), text(left - 50, top - 10, names.y, ink.muted));
}

const tick = (value: number): string => (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5 ? String(Number(value.toPrecision(5))).replace("-", "−") : short(value));

export interface Steered {
  /** A place was pointed at. */
  onAt(x: number, y: number): void;
  /** A rectangle was dragged, in the picture's own numbers. */
  onWindow?(x: readonly [number, number], y: readonly [number, number]): void;
  onBack?(): void;
  onWhole?(): void;
  /** The next place of the cursor, so many columns on. */
  onStep(by: number, up: number): void;
  /** Zoom by keys. */
  onZoom?(factor: number): void;
}

/** Pointer and keys: click puts the cursor, dragging takes a window, ← → move, + zooms in, − and Backspace go back, 0 shows all. */
export function steered({ svg, ink, frame }: Paper, x: Axis, y: Axis, to: Steered): void {
  const place = (event: PointerEvent): [number, number] => {
    const box = svg.getBoundingClientRect();
    const [px, py] = [((event.clientX - box.left) / (box.width || 1)) * svg.viewBox.baseVal.width, ((event.clientY - box.top) / (box.height || 1)) * svg.viewBox.baseVal.height];
    return [Math.min(frame.right, Math.max(frame.left, px)), Math.min(frame.bottom, Math.max(frame.top, py))];
  };
  svg.style.touchAction = "pan-y";
  svg.style.cursor = "crosshair";
  svg.onpointerdown = (event) => {
    if (event.button !== 0) return;
    const begin = place(event);
    const band = drawn("rect", { fill: ink.accent, "fill-opacity": 0.18, stroke: ink.accent, "stroke-width": 1.5 });
    svg.setPointerCapture?.(event.pointerId);
    let end = begin;
    const isWindow = (): boolean => Boolean(to.onWindow) && Math.abs(end[0] - begin[0]) > 6 && Math.abs(end[1] - begin[1]) > 6;
    svg.onpointermove = (moved) => {
      end = place(moved);
      if (!isWindow()) return band.remove();
      for (const [name, value] of Object.entries({ x: Math.min(begin[0], end[0]), y: Math.min(begin[1], end[1]), width: Math.abs(end[0] - begin[0]), height: Math.abs(end[1] - begin[1]) })) band.setAttribute(name, String(value));
      if (!band.isConnected) svg.append(band);
    };
    const done = (): void => { svg.onpointermove = svg.onpointerup = svg.onpointercancel = null; band.remove(); };
    svg.onpointercancel = done;
    svg.onpointerup = (up) => {
      end = place(up);
      const taken = isWindow();
      done();
      if (taken) to.onWindow!([x.back(Math.min(begin[0], end[0])), x.back(Math.max(begin[0], end[0]))], [y.back(Math.max(begin[1], end[1])), y.back(Math.min(begin[1], end[1]))]);
      else to.onAt(x.back(end[0]), y.back(end[1]));
    };
  };
  svg.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 10 : 1;
    const act = {
      ArrowLeft: () => to.onStep(-far, 0), ArrowRight: () => to.onStep(far, 0), ArrowUp: () => to.onStep(0, far), ArrowDown: () => to.onStep(0, -far),
      "+": () => to.onZoom?.(0.5), "=": () => to.onZoom?.(0.5), "-": () => to.onBack?.(), Backspace: () => to.onBack?.(), "0": () => to.onWhole?.(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
}

/** A picture of pixels, painted once and stretched over the plotting area. */
export function pixels(columns: number, rows: number, colour: (column: number, row: number) => readonly [number, number, number, number]): string {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  const pen = canvas.getContext("2d");
  if (!pen) return "";
  const image = new ImageData(columns, rows);
  for (let row = 0; row < rows; row += 1)
    for (let column = 0; column < columns; column += 1) image.data.set(colour(column, row), 4 * ((rows - 1 - row) * columns + column));
  pen.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

/** The vertical line of the chosen learning rate. */
export function cursor({ svg, ink, frame }: Paper, x: Axis, at: number): void {
  if (!(at >= x.low && at <= x.high)) return;
  const place = x.at(at);
  svg.append(line(place, frame.top, place, frame.bottom, ink.error, { "stroke-width": 2, "data-cursor": at }));
  const isLate = place > frame.right - 90;
  svg.append(text(place + (isLate ? -5 : 5), frame.top - 8, `η = ${short(at)}`, ink.error, { "text-anchor": isLate ? "end" : "start", "font-size": 12, "font-weight": 650 }));
}
