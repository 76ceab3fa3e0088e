// A histogram at each of a few tens of steps, side by side: one column a recorded step, darker where more numbers lie.
import { css, parts, themed, type Colour } from "../../core/colours";
import { element, onceAFrame, onWidth, pngOf, type Mounted, type Options } from "../../core/component";
import { say } from "../../core/language";
import { short, ticks } from "../../core/numbers";
import words from "./words.json";

export interface HeatStripData {
  title: string;
  steps: readonly number[];
  /** Ends of each column; decimal logarithms where `isLogarithmic`. */
  low: readonly number[];
  high: readonly number[];
  /** One row a step: each bin beside the fullest, 0 to 1. */
  shares: readonly (readonly number[])[];
  zeros: readonly number[];
  lost: readonly number[];
  isLogarithmic: boolean;
}

const [LEFT, RIGHT, TOP, FOOT, HEIGHT] = [64, 8, 6, 22, 150];

export function mount(el: HTMLElement, data: HeatStripData, options: Options): Mounted<HeatStripData> {
  const { language } = options;
  const host = element("div", { class: "figure strip", role: "img", tabindex: "0" });
  const canvas = element("canvas");
  const reading = element("div", { class: "reading", "aria-live": "polite" });
  host.append(canvas);
  el.append(host, reading);
  let shown = data;
  let at: number | null = null;

  const value = (place: number): string => short(shown.isLogarithmic ? 10 ** place : place);
  const percent = (share: number): string => `${share < 0.001 ? "< 0.1" : (100 * share).toPrecision(2)} %`;
  function told(column: number): string {
    const [low, high, zeros, lost] = [shown.low[column]!, shown.high[column]!, shown.zeros[column]!, shown.lost[column]!];
    const n = shown.steps[column]!;
    const base = Number.isNaN(low) ? say(words.nothing, language, { n }) : say(words.at, language, { n, low: value(low), high: value(high) });
    return `${base}${zeros > 0 && !Number.isNaN(low) ? say(words.and_zero, language, { share: percent(zeros) }) : ""}${lost > 0 ? say(words.and_lost, language, { share: percent(lost) }) : ""}`;
  }

  function ends(): [number, number] {
    const [low, high] = [Math.min(...shown.low.filter(Number.isFinite)), Math.max(...shown.high.filter(Number.isFinite))];
    if (!Number.isFinite(low)) return [0, 1];
    return high > low ? [low, high] : [low - 0.5, high + 0.5];
  }

  function draw(): void {
    const last = shown.steps.length - 1;
    host.setAttribute("aria-label", `${shown.title}. ${last >= 0 ? told(last) : ""}. ${say(words.keys, language)}`);
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(160, host.clientWidth || el.clientWidth);
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
    canvas.style.width = `${width}px`;
    canvas.style.height = `${HEIGHT}px`;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(ratio, ratio);
    columns(pen, width);
    axes(pen, width);
    read();
  }

  const wide = (width: number): number => (width - LEFT - RIGHT) / Math.max(1, shown.steps.length);
  const y = (place: number, [low, high]: [number, number]): number => TOP + (1 - (place - low) / (high - low)) * (HEIGHT - TOP - FOOT);

  function columns(pen: CanvasRenderingContext2D, width: number): void {
    const range = ends();
    const [ground, full, lost] = [themed(el, "faint"), themed(el, "accent"), themed(el, "nan")].map((code) => parts(code || "#808080")) as [Colour, Colour, Colour];
    const mixed = (share: number): string => css(ground.map((part, place) => Math.round(part + (full[place]! - part) * Math.sqrt(share))) as unknown as Colour);
    pen.fillStyle = css(ground);
    pen.fillRect(LEFT, TOP, width - LEFT - RIGHT, HEIGHT - TOP - FOOT);
    shown.shares.forEach((bins, column) => {
      const [low, high] = [shown.low[column]!, shown.high[column]!];
      const x = LEFT + column * wide(width);
      if (shown.lost[column]! > 0) {
        pen.fillStyle = css(lost);
        pen.fillRect(x, HEIGHT - FOOT - 4, wide(width), 4);
      }
      if (!Number.isFinite(low)) return;
      bins.forEach((share, bin) => {
        if (!share) return;
        const [from, to] = [y(low + ((high - low) * bin) / bins.length, range), y(low + ((high - low) * (bin + 1)) / bins.length, range)];
        pen.fillStyle = mixed(share);
        pen.fillRect(x, Math.min(to, from - 1.5), Math.max(1, wide(width) - 0.5), Math.max(1.5, from - to + 0.3));
      });
    });
  }

  function axes(pen: CanvasRenderingContext2D, width: number): void {
    const range = ends();
    pen.font = `12px ${getComputedStyle(el).fontFamily}`;
    pen.fillStyle = themed(el, "muted") || "#56636f";
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const marks = shown.isLogarithmic ? decades(range) : ticks(range[0], range[1], 4);
    for (const mark of marks) pen.fillText(shown.isLogarithmic ? `1e${mark}`.replace("-", "−") : short(mark), LEFT - 8, Math.min(HEIGHT - FOOT - 5, Math.max(TOP + 5, y(mark, range))));
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    let free = -Infinity;
    shown.steps.forEach((step, column) => {
      const text = String(step);
      const x = LEFT + (column + 0.5) * wide(width);
      const half = pen.measureText(text).width / 2;
      if (x - half < free || x + half > width) return;
      pen.fillText(text, x, HEIGHT - 6);
      free = x + half + 10;
    });
    if (at === null) return;
    pen.strokeStyle = themed(el, "ink") || "#000000";
    pen.lineWidth = 1.5;
    pen.strokeRect(LEFT + at * wide(width), TOP, wide(width), HEIGHT - TOP - FOOT);
  }

  function read(): void {
    const column = at ?? shown.steps.length - 1;
    reading.textContent = column >= 0 ? told(column) : "";
  }

  const frame = onceAFrame(draw);
  const go = (column: number | null): void => {
    at = column === null ? null : Math.min(shown.steps.length - 1, Math.max(0, column));
    frame.ask();
  };
  host.addEventListener("pointermove", (event) => go(Math.floor((event.clientX - host.getBoundingClientRect().left - LEFT) / wide(host.clientWidth))));
  host.addEventListener("pointerleave", () => go(null));
  host.addEventListener("blur", () => go(null));
  host.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    go((at ?? shown.steps.length) + (event.key === "ArrowLeft" ? -1 : 1));
  });
  const stop = onWidth(el, frame.ask);
  draw();
  return {
    update(delta): void {
      shown = { ...shown, ...delta };
      frame.ask();
    },
    destroy(): void {
      frame.cancel();
      stop();
      host.remove();
      reading.remove();
    },
    toPNG: () => pngOf(themed(el, "card") || "#ffffff", canvas),
    table: () => ({
      heads: [words.step, words.low, words.high, words.zeros, words.lost].map((head) => say(head, language)),
      rows: shown.steps.map((step, column) => [step, Number.isNaN(shown.low[column]!) ? "–" : value(shown.low[column]!), Number.isNaN(shown.high[column]!) ? "–" : value(shown.high[column]!), percentOf(shown.zeros[column]!), percentOf(shown.lost[column]!)]),
    }),
  };
}

const percentOf = (share: number): string => (share > 0 ? `${(100 * share).toPrecision(2)} %` : "0");

function decades([low, high]: readonly [number, number]): number[] {
  const stride = Math.max(1, Math.ceil((high - low) / 5));
  const found: number[] = [];
  for (let mark = Math.ceil(low); mark <= high; mark += 1) if (mark % stride === 0) found.push(mark);
  return found;
}
