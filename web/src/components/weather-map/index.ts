// The weather map: layers × steps, coloured by the wind on its one scale, the input at the bottom.
import type { MapColumns } from "../../core/columns";
import { isLost, letter, weight } from "../../core/colours";
import { element, onceAFrame, onWidth, pngOf, type Mounted, type Options, type Table } from "../../core/component";
import { say } from "../../core/language";
import { placeOf, short } from "../../core/numbers";
import { steer } from "../../core/steer";
import { PALETTE } from "../../wire";
import { Layout, TOP } from "./layout";
import { fitting, paintCross, paintMap, prepared } from "./paint";
import words from "./words.json";

export interface WeatherMapData {
  columns: MapColumns;
  /** Typical newest wind of each layer. */
  now: readonly number[];
  /** One sentence: what the map shows. */
  title: string;
  /** Height the rows may take together, in CSS pixels. */
  tall?: number;
}

const TALL = 440;

export function mount(el: HTMLElement, data: WeatherMapData, options: Options): Mounted<WeatherMapData> {
  const { linked, language } = options;
  const picture = element("canvas");
  const cross = element("canvas", { class: "over" });
  const tip = element("div", { class: "tip" });
  const band = element("div", { class: "band" });
  tip.hidden = band.hidden = true;
  const stage = element("div", { class: "stage", role: "img", tabindex: "0" }, picture, cross, band, tip);
  const scroll = element("div", { class: "figure scroll" }, stage);
  el.append(scroll);
  let shown = data;
  let layout = fresh();

  function fresh(): Layout {
    return new Layout(shown.columns, linked, Math.max(240, stage.clientWidth || el.clientWidth), shown.tall ?? TALL);
  }

  function measureMargins(): void {
    const pen = picture.getContext("2d")!;
    pen.font = `12px ${getComputedStyle(el).fontFamily || "sans-serif"}`;
    const width = Math.max(240, el.clientWidth);
    const widest = Math.max(48, ...shown.columns.names.map((name) => pen.measureText(name).width));
    const left = Math.ceil(Math.min(widest + 12, width * 0.26, 190));
    if (left !== linked.margins.value.left) linked.margins.set({ left, right: 30 });
  }

  function draw(): void {
    if (shown.columns.isEmpty) return;
    measureMargins();
    layout = fresh();
    stage.setAttribute("aria-label", `${say(words.name, language)}: ${shown.title}. ${say(words.keys, language)}`);
    paintMap(prepared(picture, layout.width, layout.height, options, el), layout, shown.now, options);
    drawCross();
  }

  function drawCross(): void {
    if (shown.columns.isEmpty) return;
    const brush = prepared(cross, layout.width, layout.height, options, el);
    const cursor = linked.cursor.value;
    const at = cursor ? placeOf(shown.columns.steps, cursor.step) : -1;
    if (cursor) {
      brush.pen.font = brush.font();
      paintCross(brush, layout, cursor);
    }
    tip.hidden = !cursor || cursor.row === null || at < 0 || cursor.row >= shown.columns.names.length;
    if (cursor && cursor.row !== null && !tip.hidden) fillTip(cursor.step, cursor.row, at);
  }

  function fillTip(step: number, row: number, at: number): void {
    const columns = shown.columns;
    const lines = [windText(columns, row, at), normText(columns, row, at)];
    if (columns.steps[at] !== step) lines.push(say(words.held, language, { n: columns.steps[at]! }));
    const head = element("b", {}, `${columns.names[row]} · ${say(words.step, language)} ${step}`);
    tip.replaceChildren(head, ...lines.map((text) => element("div", {}, text)));
    const x = layout.x(step + 0.5);
    const isLeft = x > layout.width / 2;
    tip.style.left = isLeft ? "" : `${x + 14}px`;
    tip.style.right = isLeft ? `${layout.width - x + 14}px` : "";
    tip.style.top = `${Math.max(0, Math.min(layout.rowTop(row) - 20, layout.height - 96))}px`;
  }

  function windText(columns: MapColumns, row: number, at: number): string {
    const wind = columns.wind[row]![at]!;
    if (Number.isNaN(wind)) return say(words.unseen, language);
    if (isLost(wind)) return say(words.lost, language);
    const [low, high] = [columns.low[row]![at]!, columns.high[row]![at]!];
    const text = low !== high ? say(words.range, language, { low: short(low), high: short(high) }) : say(words.wind, language, { value: short(wind) });
    return `${text} (${say(words[letter(wind)], language)})`;
  }

  function normText(columns: MapColumns, row: number, at: number): string {
    const [norm, low] = [columns.norm[row]?.[at] ?? NaN, columns.normLow[row]?.[at] ?? NaN];
    const value = isLost(columns.wind[row]![at]!) && Number.isNaN(norm) ? say(words.lost, language) : Number.isNaN(norm) ? "–" : norm === 0 ? say(words.zero, language) : low === norm || Number.isNaN(low) ? short(norm) : `${short(low)} … ${short(norm)}`;
    return say(words.norm, language, { value });
  }

  // ---- pointing and dragging
  let dragFrom: number | null = null;
  const place = (event: PointerEvent): { x: number; y: number } => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const onMove = (event: PointerEvent): void => {
    if (shown.columns.isEmpty) return;
    const { x, y } = place(event);
    if (dragFrom !== null && Math.abs(x - dragFrom) > 4) {
      band.hidden = false;
      band.style.left = `${Math.max(layout.left, Math.min(x, dragFrom))}px`;
      band.style.width = `${Math.abs(Math.min(layout.left + layout.plotWidth, Math.max(layout.left, x)) - dragFrom)}px`;
      band.style.top = `${TOP}px`;
      band.style.height = `${layout.columns.names.length * layout.rowHeight}px`;
    }
    linked.cursor.set({ step: layout.stepAt(x), row: layout.rowAt(y) });
  };
  const onDown = (event: PointerEvent): void => {
    onMove(event);
    if (event.button === 0 && event.pointerType !== "touch") dragFrom = place(event).x;
  };
  const onUp = (event: PointerEvent): void => {
    if (dragFrom === null) return;
    const { x, y } = place(event);
    const [from, to] = [layout.stepAt(Math.min(x, dragFrom)), layout.stepAt(Math.max(x, dragFrom))];
    if (Math.abs(x - dragFrom) > 8 && to > from + 1) linked.zoom.set({ first: from, last: to });
    else linked.chosen.set(layout.rowAt(y));
    dragFrom = null;
    band.hidden = true;
  };
  const onLeave = (): void => {
    dragFrom = null;
    band.hidden = true;
    linked.cursor.set(null);
  };
  stage.addEventListener("pointermove", onMove);
  stage.addEventListener("pointerdown", onDown);
  stage.addEventListener("pointerup", onUp);
  stage.addEventListener("pointerleave", onLeave);
  stage.addEventListener("dblclick", () => linked.zoom.set(null));
  stage.addEventListener("blur", onLeave);
  const worst = (): number => shown.columns.wind.reduce((found, row, at) => (weight(row.at(-1) ?? NaN) > weight(shown.columns.wind[found]!.at(-1) ?? NaN) ? at : found), 0);
  const release = steer(stage, linked, { steps: () => shown.columns.steps, rows: () => shown.columns.names.length, worst });

  const frame = onceAFrame(draw);
  const stops = [linked.cursor.on(drawCross), linked.zoom.on(frame.ask), linked.range.on(frame.ask), onWidth(el, frame.ask), release];
  draw();

  return {
    update(delta): void {
      shown = { ...shown, ...delta };
      frame.ask();
    },
    destroy(): void {
      frame.cancel();
      for (const stop of stops) stop();
      scroll.remove();
    },
    toPNG: () => pngOf(getComputedStyle(el).getPropertyValue("--card").trim() || "#ffffff", picture),
    toSVG: () => svg(shown, layout, picture),
    toPython: () => python(shown),
    table: () => table(shown, options),
  };
}

function table(data: WeatherMapData, { language }: Options): Table {
  const { columns } = data;
  const seen = (row: number[]): number[] => row.filter((wind) => !Number.isNaN(wind));
  const shownWind = (wind: number | undefined): string => (wind === undefined ? say(words.unseen, language) : `${isLost(wind) ? "NaN" : short(wind)} ${letter(wind)}`);
  const rows = columns.names.map((name, row) => [
    name,
    shownWind(seen(columns.wind[row]!).at(-1)),
    shownWind(seen(columns.low[row]!).reduce<number | undefined>((one, other) => (one === undefined ? other : Math.min(one, other)), undefined)),
    shownWind(seen(columns.high[row]!).reduce<number | undefined>((one, other) => (one === undefined ? other : Math.max(one, other)), undefined)),
  ]);
  return { heads: [words.layer, words.newest, words.lowest, words.highest].map((head) => say(head, language)), rows: rows.reverse() };
}

/** All cells, a row a step and layer: what CSV holds. */
export function cellsOf(columns: MapColumns): Table {
  const rows = columns.steps.flatMap((step, at) => columns.names.map((name, row) => [step, name, columns.wind[row]![at]!, columns.norm[row]?.[at] ?? NaN]));
  return { heads: ["step", "layer", "wind", "gradient_norm"], rows };
}

function svg(data: WeatherMapData, layout: Layout, canvas: HTMLCanvasElement): string {
  const escape = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
  const pen = canvas.getContext("2d")!;
  const crop = document.createElement("canvas");
  const ratio = canvas.width / layout.width;
  const height = data.columns.names.length * layout.rowHeight;
  crop.width = layout.plotWidth * ratio;
  crop.height = height * ratio;
  crop.getContext("2d")!.drawImage(canvas, layout.left * ratio, TOP * ratio, crop.width, crop.height, 0, 0, crop.width, crop.height);
  const labels = layout.groups().map(({ row, size }) => `<text x="${layout.left - 8}" y="${layout.rowTop(row + size - 1) + (size * layout.rowHeight) / 2 + 4}" text-anchor="end">${escape(fitting(pen, data.columns.names, data.columns.names[row]!, layout.left - 10))}</text>`);
  const { first, last } = layout.linked.shown;
  const ends = [first, last].map((step, at) => `<text x="${at ? layout.left + layout.plotWidth : layout.left}" y="${layout.height - 8}" text-anchor="${at ? "end" : "start"}">${step}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${layout.height}" font-family="sans-serif" font-size="12"><title>${escape(data.title)}</title><image x="${layout.left}" y="${TOP}" width="${layout.plotWidth}" height="${height}" href="${crop.toDataURL("image/png")}"/>${[...labels, ...ends].join("")}</svg>`;
}

function python(data: WeatherMapData): string {
  const { columns } = data;
  const value = (wind: number): string => (Number.isNaN(wind) ? "nan" : wind === Infinity ? "inf" : wind === -Infinity ? "-20" : String(wind));
  const stops = PALETTE.light.map(([place, code]) => `(${((place - PALETTE.limits[0]) / (PALETTE.limits[1] - PALETTE.limits[0])).toFixed(4)}, "${code}")`);
  return `import numpy as np
import matplotlib.pyplot as plt
from matplotlib.colors import LinearSegmentedColormap

nan, inf = np.nan, np.inf
names = ${JSON.stringify(columns.names)}
steps = ${JSON.stringify(columns.steps)}
wind = np.array([${columns.wind.map((row) => `[${row.map(value).join(",")}]`).join(",\n  ")}])

wind_scale = LinearSegmentedColormap.from_list("wind", [${stops.join(", ")}])
wind_scale.set_bad("${PALETTE.nan}")
figure, axes = plt.subplots(figsize=(9, 1.5 + 0.25 * len(names)))
mesh = axes.pcolormesh([*steps, steps[-1] + 1], range(len(names) + 1), np.where(np.isfinite(wind), wind, nan), cmap=wind_scale, vmin=${PALETTE.limits[0]}, vmax=${PALETTE.limits[1]})
axes.set_yticks(np.arange(len(names)) + 0.5, names)
axes.set_xlabel("optimizer step")
axes.set_title(${JSON.stringify(data.title)})
figure.colorbar(mesh, label="layer wind, log10")
plt.show()
`;
}
