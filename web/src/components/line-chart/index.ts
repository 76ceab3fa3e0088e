// Lines over the steps: faint raw band under a smooth line, dashed limits, ✕ on the axis for what is not finite, linked cross-hair.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { parts, themed } from "../../core/colours";
import { element, onceAFrame, onWidth, pngOf, type Mounted, type Options, type Table } from "../../core/component";
import { say } from "../../core/language";
import { placeOf, short, ticks } from "../../core/numbers";
import { steer } from "../../core/steer";
import { stepTicks } from "../weather-map/layout";
import words from "./words.json";

/** One curve: `low` and `high` are the same where a point is one step. */
export interface Curve {
  name: string;
  steps: readonly number[];
  low: readonly number[];
  high?: readonly number[];
  /** A smooth line above the faint raw one. */
  smooth?: readonly number[];
  /** A colour of the theme. */
  colour?: "loss" | "warning" | "ink" | "accent" | "info" | "muted" | "nan";
  dash?: readonly number[];
  dots?: boolean;
  /** One of several of a kind, drawn thin and faint, and left out of the reading. */
  thin?: boolean;
}

export interface LineChartData {
  /** One sentence: what the picture shows. */
  title: string;
  /** What stands on the vertical axis, with its unit. */
  axis: string;
  curves: readonly Curve[];
  scale?: "linear" | "log";
  /** Dashed horizontal lines with their words. */
  lines?: readonly { at: number; say: string }[];
  /** Steps at which something was not finite: ✕ on the axis. */
  lost?: readonly number[];
  height?: number;
  /** Zero belongs to the picture. */
  fromZero?: boolean;
  /** Ends of the vertical axis, where something else than all of the curves decides them. */
  ends?: readonly [number, number];
}

const HEIGHT = 230;

export function mount(el: HTMLElement, data: LineChartData, options: Options): Mounted<LineChartData> {
  const { linked, language } = options;
  const host = element("div", { class: "figure chart", role: "img", tabindex: "0" });
  const reading = element("div", { class: "reading", "aria-hidden": "true" });
  el.append(reading, host);
  let shown = data;
  let plot: uPlot | null = null;
  let kind = "";
  let isOurs = false;

  const colour = (name: string): string => themed(el, name) || "#000000";
  const faint = (name: string): string => {
    const code = colour(name);
    return code.length === 7 ? `rgb(${parts(code).join(" ")} / ${options.isDark ? 45 : 38}%)` : code;
  };
  const isLog = (): boolean => shown.scale === "log";
  const drawable = (value: number): number | null => (Number.isFinite(value) && (!isLog() || value > 0) ? value : null);

  /** All curves on one rising axis of steps, as uPlot wants them. */
  function aligned(): uPlot.AlignedData {
    const all = [...new Set(shown.curves.flatMap((curve) => [...curve.steps]))].sort((one, other) => one - other);
    const place = new Map(all.map((step, at) => [step, at]));
    const spread = (curve: Curve, values: readonly number[]): (number | null | undefined)[] => {
      if (curve.steps.length === all.length) return values.map(drawable);
      const row: (number | null | undefined)[] = new Array<undefined>(all.length).fill(undefined);
      curve.steps.forEach((step, at) => { row[place.get(step)!] = drawable(values[at]!); });
      return row;
    };
    return [all.map((step) => step + 0.5), ...shown.curves.flatMap((curve) => rowsOf(curve).map((values) => spread(curve, values)))] as uPlot.AlignedData;
  }

  const rowsOf = (curve: Curve): (readonly number[])[] => [...(curve.high ? [curve.low, curve.high] : [curve.low]), ...(curve.smooth ? [curve.smooth] : [])];

  function series(): { series: uPlot.Series[]; bands: uPlot.Band[] } {
    const found: uPlot.Series[] = [{}];
    const bands: uPlot.Band[] = [];
    for (const curve of shown.curves) {
      const strong = { stroke: colour(curve.colour ?? "loss"), width: 2, dash: [...(curve.dash ?? [])], points: { show: curve.dots ?? curve.steps.length === 1, size: 6, fill: colour(curve.colour ?? "loss") } };
      const raw = curve.smooth || curve.thin ? { stroke: faint(curve.colour ?? "loss"), width: 1, points: { show: false } } : strong;
      found.push({ ...raw, spanGaps: false });
      if (curve.high) {
        found.push({ ...raw, spanGaps: false });
        bands.push({ series: [found.length - 1, found.length - 2], fill: faint(curve.colour ?? "loss") });
      }
      if (curve.smooth) found.push({ ...strong, spanGaps: false });
    }
    return { series: found, bands };
  }

  function range(_: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
    if (shown.ends) return [...shown.ends];
    const values = (shown.lines ?? []).map((line) => line.at).filter((at) => drawable(at) !== null);
    let from = Math.min(low ?? Infinity, ...values);
    let to = Math.max(high ?? -Infinity, ...values);
    if (!Number.isFinite(from) || !Number.isFinite(to)) return isLog() ? [0.1, 10] : [0, 1];
    if (shown.fromZero && !isLog()) [from, to] = [Math.min(0, from), Math.max(0, to)];
    if (from === to) [from, to] = from > 0 ? [from / 1.2, to * 1.2] : [from - 1, to + 1];
    if (isLog()) {
      const pad = (to / from) ** 0.06;
      return [from / pad, to * pad];
    }
    const pad = (to - from) * 0.06;
    return [from === 0 ? 0 : from - pad, to + pad];
  }

  function splits(_: uPlot, __: number, low: number, high: number): number[] {
    if (!isLog()) return ticks(low, high, 5);
    const [from, to] = [Math.log10(low), Math.log10(high)];
    if (to - from < 1.2) return ticks(low, high, 4).filter((value) => value > 0);
    const stride = Math.ceil((to - from) / 6);
    const marks = to - from < 2.6 ? [1, 2, 5] : [1];
    const found: number[] = [];
    for (let power = Math.floor(from); power <= to; power += 1) if (power % stride === 0) found.push(...marks.map((mark) => Number(`${mark}e${power}`)));
    return found.filter((value) => value >= low && value <= high);
  }

  function overlay(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px ${getComputedStyle(el).fontFamily}`;
    for (const line of shown.lines ?? []) {
      if (drawable(line.at) === null) continue;
      const y = chart.valToPos(line.at, "y", true);
      if (y < bbox.top || y > bbox.top + bbox.height) continue;
      ctx.strokeStyle = colour("ink");
      ctx.lineWidth = 1.5 * ratio;
      ctx.setLineDash([7 * ratio, 5 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      label(ctx, line.say, bbox.left + bbox.width - 4 * ratio, y - 9 * ratio < bbox.top ? y + 10 * ratio : y - 8 * ratio, "right", colour("ink"), ratio);
    }
    const foot = bbox.top + bbox.height;
    let before = -Infinity;
    for (const step of shown.lost ?? []) {
      const x = chart.valToPos(step + 0.5, "x", true);
      if (x - before < 13 * ratio || x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = colour("nan");
      ctx.lineWidth = 2.5 * ratio;
      ctx.beginPath();
      for (const side of [-1, 1]) {
        ctx.moveTo(x - 5 * ratio, foot - 6 * ratio - 5 * side * ratio);
        ctx.lineTo(x + 5 * ratio, foot - 6 * ratio + 5 * side * ratio);
      }
      ctx.stroke();
      if (before === -Infinity) {
        const isRight = x > bbox.left + bbox.width - 90 * ratio;
        ctx.font = `700 ${ctx.font}`;
        label(ctx, "NaN / ∞", isRight ? x - 10 * ratio : x - 4 * ratio, foot - 22 * ratio, isRight ? "right" : "left", colour("nan"), ratio);
      }
      before = x;
    }
    ctx.restore();
  }

  function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, align: CanvasTextAlign, paint: string, ratio: number): void {
    ctx.textAlign = align;
    ctx.textBaseline = "middle";
    ctx.lineWidth = 4 * ratio;
    ctx.strokeStyle = colour("card");
    ctx.strokeText(text, x, y);
    ctx.fillStyle = paint;
    ctx.fillText(text, x, y);
  }

  function made(): uPlot {
    const { left, right } = linked.margins.value;
    const { first, last } = linked.shown;
    const axis = { stroke: colour("muted"), font: `12px ${getComputedStyle(el).fontFamily}`, grid: { stroke: colour("line"), width: 1 }, ticks: { show: false } };
    return new uPlot({
      width: Math.max(240, host.clientWidth || el.clientWidth),
      height: shown.height ?? HEIGHT,
      padding: [8, right, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false }, focus: { prox: -1 } },
      scales: { x: { time: false, min: first, max: last + 1 }, y: { distr: isLog() ? 3 : 1, range } },
      axes: [
        { ...axis, size: 26, gap: 6, grid: { show: false }, splits: () => stepTicks(linked, Math.max(20, host.clientWidth - left - right)).map((step) => step + 0.5), values: (_, places) => places.map((place) => String(Math.round(place - 0.5))) },
        { ...axis, size: left, gap: 8, splits, filter: (_, places) => places, values: (_, places) => places.map((place) => short(place)) },
      ],
      ...series(),
      hooks: {
        draw: [overlay],
        setCursor: [(chart) => {
          if (isOurs || !chart.cursor.left || chart.cursor.left < 0) return;
          linked.cursor.set({ step: clamped(Math.floor(chart.posToVal(chart.cursor.left, "x"))), row: linked.cursor.value?.row ?? null });
        }],
        setSelect: [(chart) => {
          if (chart.select.width > 8) {
            const from = clamped(Math.floor(chart.posToVal(chart.select.left, "x")));
            const to = clamped(Math.ceil(chart.posToVal(chart.select.left + chart.select.width, "x")) - 1);
            if (to > from + 1) linked.zoom.set({ first: from, last: to });
          }
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    }, aligned(), host);
  }

  const clamped = (step: number): number => Math.min(linked.shown.last, Math.max(linked.shown.first, step));
  const shape = (): string => JSON.stringify([shown.scale, shown.height, linked.margins.value, shown.curves.map((curve) => [curve.name, curve.colour, Boolean(curve.high), Boolean(curve.smooth), curve.dots ?? curve.steps.length === 1, curve.dash, curve.thin])]);

  function draw(): void {
    host.setAttribute("aria-label", `${shown.title}. ${say(words.keys, language)}`);
    if (plot === null || kind !== shape()) {
      plot?.destroy();
      kind = shape();
      plot = made();
    } else {
      const width = Math.max(240, host.clientWidth);
      if (Math.abs(width - plot.width) > 0.5) plot.setSize({ width, height: shown.height ?? HEIGHT });
      plot.setData(aligned(), false);
      plot.setScale("x", { min: linked.shown.first, max: linked.shown.last + 1 });
    }
    drawCross();
  }

  function drawCross(): void {
    const cursor = linked.cursor.value;
    read(cursor?.step ?? null);
    if (!plot) return;
    isOurs = true;
    plot.setCursor(cursor ? { left: plot.valToPos(cursor.step + 0.5, "x"), top: 0 } : { left: -10, top: -10 }, true);
    isOurs = false;
  }

  /** The value under the cross-hair; without one the newest, never "--". */
  function read(step: number | null): void {
    const values = shown.curves.filter((curve) => !curve.thin).map((curve) => {
      const at = step === null ? curve.steps.length - 1 : placeOf(curve.steps, step);
      const text = at < 0 ? "–" : textAt(curve, at);
      const swatch = element("i", { class: `swatch ${curve.colour ?? "loss"}${curve.dash?.length ? " dashed" : ""}` });
      return element("span", {}, swatch, `${curve.name} `, element("b", {}, text));
    });
    reading.replaceChildren(element("span", { class: "when" }, step === null ? say(words.now, language) : say(words.at, language, { n: step })), ...values);
  }

  function textAt(curve: Curve, at: number): string {
    const low = curve.low[at]!;
    const high = curve.high?.[at] ?? low;
    if (!Number.isFinite(low) && !Number.isFinite(high)) return "NaN / ∞";
    return low === high || shown.curves.filter((one) => !one.thin).length > 3 ? short(low) : `${short(low)} … ${short(high)}`;
  }

  const frame = onceAFrame(draw);
  const onBlur = (): void => linked.cursor.set(null);
  host.addEventListener("blur", onBlur);
  host.addEventListener("pointerleave", onBlur);
  host.addEventListener("dblclick", () => linked.zoom.set(null));
  const main = (): readonly number[] => shown.curves[0]?.steps ?? [];
  const stops = [linked.cursor.on(drawCross), linked.zoom.on(frame.ask), linked.range.on(frame.ask), linked.margins.on(frame.ask), onWidth(el, frame.ask), steer(host, linked, { steps: main })];
  draw();

  return {
    update(delta): void {
      shown = { ...shown, ...delta };
      frame.ask();
    },
    destroy(): void {
      frame.cancel();
      for (const stop of stops) stop();
      plot?.destroy();
      host.remove();
      reading.remove();
    },
    toPNG: () => (plot ? pngOf(colour("card"), plot.ctx.canvas) : Promise.reject(new Error("not drawn"))),
    toSVG: () => svg(shown, plot, colour),
    toPython: () => python(shown),
    table: () => table(shown, options),
  };
}

function table(data: LineChartData, { language }: Options): Table {
  const steps = [...new Set(data.curves.flatMap((curve) => [...curve.steps]))].sort((one, other) => one - other);
  const columns = data.curves.flatMap((curve) => {
    const at = new Map(curve.steps.map((step, place) => [step, place]));
    const of = (values: readonly number[]): ((step: number) => string | number) => (step) => {
      const place = at.get(step);
      const value = place === undefined ? undefined : values[place];
      return value === undefined ? "" : Number.isFinite(value) ? value : "NaN";
    };
    return curve.high
      ? [{ head: `${curve.name} (${say(words.lowest, language)})`, of: of(curve.low) }, { head: `${curve.name} (${say(words.highest, language)})`, of: of(curve.high) }]
      : [{ head: curve.name, of: of(curve.low) }];
  });
  return { heads: [say(words.step, language), ...columns.map((column) => column.head)], rows: steps.map((step) => [step, ...columns.map((column) => column.of(step))]) };
}

function svg(data: LineChartData, plot: uPlot | null, colour: (name: string) => string): string {
  if (!plot) return "";
  const escape = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
  const box = { left: plot.bbox.left / uPlot.pxRatio, top: plot.bbox.top / uPlot.pxRatio, width: plot.bbox.width / uPlot.pxRatio, height: plot.bbox.height / uPlot.pxRatio };
  const x = (step: number): number => box.left + plot.valToPos(step + 0.5, "x");
  const y = (value: number): number => box.top + plot.valToPos(value, "y");
  const path = (curve: Curve, values: readonly number[]): string => {
    let pen = "M";
    return curve.steps.map((step, at) => {
      const value = values[at]!;
      if (!Number.isFinite(value) || (data.scale === "log" && value <= 0)) { pen = "M"; return ""; }
      const text = `${pen}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return text;
    }).join("");
  };
  const curves = data.curves.map((curve) => {
    const paint = colour(curve.colour ?? "loss");
    const line = (values: readonly number[], width: number, opacity: number): string => `<path d="${path(curve, values)}" fill="none" stroke="${paint}" stroke-width="${width}" opacity="${opacity}"${curve.dash?.length ? ` stroke-dasharray="${curve.dash.join(" ")}"` : ""}/>`;
    return curve.thin ? line(curve.low, 1, 0.45) : curve.smooth ? line(curve.low, 1, 0.4) + (curve.high ? line(curve.high, 1, 0.4) : "") + line(curve.smooth, 2, 1) : line(curve.low, 2, 1);
  });
  const lines = (data.lines ?? []).map((line) => `<line x1="${box.left}" x2="${box.left + box.width}" y1="${y(line.at)}" y2="${y(line.at)}" stroke="${colour("ink")}" stroke-dasharray="7 5"/><text x="${box.left + box.width}" y="${y(line.at) - 5}" text-anchor="end">${escape(line.say)}</text>`);
  const marks = (plot.axes[1] as { _splits?: number[] })._splits ?? [];
  const axis = marks.map((mark) => `<line x1="${box.left}" x2="${box.left + box.width}" y1="${y(mark)}" y2="${y(mark)}" stroke="${colour("line")}"/><text x="${box.left - 6}" y="${y(mark) + 4}" text-anchor="end">${short(mark)}</text>`);
  const feet = ((plot.axes[0] as { _splits?: number[] })._splits ?? []).map((place) => `<text x="${x(place - 0.5)}" y="${box.top + box.height + 18}" text-anchor="middle">${Math.round(place - 0.5)}</text>`);
  const lost = (data.lost ?? []).map((step) => `<text x="${x(step)}" y="${box.top + box.height}" text-anchor="middle" fill="${colour("nan")}" font-weight="700">✕</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${plot.width}" height="${plot.height}" font-family="sans-serif" font-size="12" fill="${colour("ink")}"><title>${escape(data.title)}</title>${[...axis, ...feet, ...lines, ...curves, ...lost].join("")}</svg>`;
}

function python(data: LineChartData): string {
  const list = (values: readonly number[]): string => `[${values.map((value) => (Number.isNaN(value) ? "nan" : value === Infinity ? "inf" : value === -Infinity ? "-inf" : value)).join(", ")}]`;
  const curves = data.curves.map((curve) => {
    const name = JSON.stringify(curve.name);
    const band = curve.high ? `axes.fill_between(${list(curve.steps)}, ${list(curve.low)}, ${list(curve.high)}, alpha=0.4)\n` : "";
    return `${band}axes.plot(${list(curve.steps)}, ${list(curve.smooth ?? curve.low)}, label=${name})`;
  });
  const lines = (data.lines ?? []).map((line) => `axes.axhline(${line.at}, linestyle="--", color="black", label=${JSON.stringify(line.say)})`);
  return `import numpy as np
import matplotlib.pyplot as plt

nan, inf = np.nan, np.inf
figure, axes = plt.subplots(figsize=(9, 3.5))
${[...curves, ...lines].join("\n")}
axes.set_yscale("${data.scale ?? "linear"}")
axes.set_xlabel("optimizer step")
axes.set_ylabel(${JSON.stringify(data.axis)})
axes.set_title(${JSON.stringify(data.title)})
axes.legend()
plt.show()
`;
}
