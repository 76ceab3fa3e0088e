// The bifurcation diagram as density, the changes and 2/λmax on it; under it, on the same axis, the exponent.
import { ink as inkOn, parts, type Colour } from "../core/colours";
import { drawn } from "../core/component";
import { say } from "../core/language";
import { short } from "../core/numbers";
import { line, text, trail, type Shown } from "../learn/svg";
import type { ChangePoint, NamePart, Sentence } from "../wire";
import { borders, density, reach, type Column } from "./columns";
import { axis, cursor, dress, paper, pixels, steered, type Paper, type Steered } from "./sheet";
import words from "./words.json";

export interface DiagramData {
  columns: readonly Column[];
  low: number;
  high: number;
  y: readonly [number, number] | null;
  at: number;
  changes: readonly ChangePoint[];
  threshold: number;
  observable: Sentence;
  /** Regimes named with all evidence. */
  named: readonly NamePart[];
  colours: Record<string, string>;
  label: string;
  to: Steered;
}

export const isLog = (low: number, high: number): boolean => low > 0 && high / low > 30;
const painted = new WeakMap<readonly Column[], { key: string; image: string }>();

const BAND = 16; // of the regimes above the picture

export const mountDiagram = paper<DiagramData>(400, (given, data) => {
  const sheet = { ...given, frame: { ...given.frame, top: given.frame.top + BAND + 4 } };
  const { svg, ink, options, frame } = sheet;
  const { language } = options;
  const x = axis(data.low, data.high, frame.left, frame.right, isLog(data.low, data.high));
  const whole = reach(data.columns);
  const [low, high] = data.y ?? [whole.low, whole.high];
  const y = axis(low, high, frame.bottom, frame.top, whole.isLog && low > 0);
  svg.append(drawn("rect", { x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top, fill: options.isDark ? ink.faint : "#ffffff" }));
  svg.append(drawn("image", { x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top, href: image(sheet, data, x, y), preserveAspectRatio: "none" }));
  if (data.threshold >= data.low && data.threshold <= data.high) {
    const place = x.at(data.threshold);
    svg.append(line(place, frame.top, place, frame.bottom, ink.ink, { "stroke-width": 1.5, "stroke-dasharray": "6 4", "data-threshold": data.threshold }));
    svg.append(text(place + 5, frame.bottom - 8, "2/λmax", ink.ink, { "font-size": 12, "paint-order": "stroke", stroke: ink.card, "stroke-width": 4 }));
  }
  for (const change of data.changes.slice(0, 40)) svg.append(drawn("path", { d: `M${x.at(change.estimate).toFixed(1)} ${frame.bottom}l-4 8h8z`, fill: ink.accent }));
  regimes(sheet, data, x);
  dress(given, x, null, { x: say(words.rate, language), y: say(data.observable, language) });
  dress(sheet, { ...x, ticks: [] }, y, { x: "", y: "" });
  cursor(given, x, data.at);
  steered(sheet, x, y, data.to);
  return { label: data.label, table: tableOf(data, language) };
});

/** Stretches of one letter among the columns, and among them those that are wide enough to be looked at. */
export function stretchesOf(columns: readonly Column[]): { letter: string; from: number; to: number }[] {
  const found: { letter: string; from: number; to: number }[] = [];
  columns.forEach(({ letter }, at) => {
    const last = found.at(-1);
    if (last?.letter === letter) last.to = at + 1;
    else found.push({ letter, from: at, to: at + 1 });
  });
  return found;
}

/** The learning rates in the middle of the widest stretches: there a regime is named with all evidence. */
export function worthNaming(columns: readonly Column[], most: number): number[] {
  const least = Math.max(2, columns.length / 80);
  return stretchesOf(columns)
    .filter(({ from, to }) => to - from >= least)
    .sort((one, other) => other.to - other.from - (one.to - one.from))
    .slice(0, most)
    .map(({ from, to }) => columns[Math.floor((from + to - 1) / 2)]!.value)
    .sort((one, other) => one - other);
}

/** The band of regimes: by the last steps of each column, and framed where one was named with all evidence. */
function regimes({ svg, ink, frame }: Paper, { columns, named, colours }: DiagramData, x: ReturnType<typeof axis>): void {
  if (!columns.length) return;
  const edges = borders(columns.map((column) => column.value), x.isLog).map((value) => Math.min(frame.right, Math.max(frame.left, x.at(value))));
  const top = frame.top - BAND - 3;
  for (const { letter, from, to } of stretchesOf(columns)) {
    const [left, right] = [edges[from]!, edges[to]!];
    const known = named.find((one) => one.at >= columns[from]!.value && one.at <= columns[to - 1]!.value);
    const shown = known?.letter ?? letter;
    const fill = colours[shown] ?? "#ffffff";
    svg.append(drawn("rect", { x: left, y: top, width: Math.max(0.5, right - left), height: BAND, fill, "data-regime": shown, ...(known ? { stroke: ink.ink, "stroke-width": 1.5 } : {}) }));
    if (right - left >= 11) svg.append(text((left + right) / 2, top + 12.5, shown, inkOn(parts(fill)), { "text-anchor": "middle", "font-size": 12, ...(known ? { "font-weight": 700 } : {}) }));
  }
}

function image(sheet: Paper, data: DiagramData, x: ReturnType<typeof axis>, y: ReturnType<typeof axis>): string {
  const { frame, options } = sheet;
  const size = { columns: Math.round(frame.right - frame.left), rows: Math.round(frame.bottom - frame.top) };
  const key = [size.columns, size.rows, data.low, data.high, y.low, y.high, options.isDark].join(" ");
  const known = painted.get(data.columns);
  if (known?.key === key) return known.image;
  const { counts, most } = density(data.columns, (value) => x.at(value) - frame.left, (value) => frame.bottom - y.at(y.isLog ? Math.max(value, y.low) : value), size, x.isLog);
  const [r, g, b]: Colour = parts(options.isDark ? "#a9d6e5" : "#14213d");
  const scale = 255 / Math.log1p(Math.max(most, 1));
  const found = pixels(size.columns, size.rows, (column, row) => {
    const count = counts[row * size.columns + column]!;
    return [r, g, b, count ? Math.min(255, 70 + Math.log1p(count) * scale) : 0];
  });
  painted.set(data.columns, { key, image: found });
  return found;
}

function tableOf(data: DiagramData, language: "en" | "ja"): Shown["table"] {
  const heads = [say(words.rate, language), say(words.regime, language), say(words.exponent, language), say(words.lowest, language), say(words.highest, language), say(words.distinct, language)];
  const rows = data.columns.map(({ value, letter, exponent, observed }) => {
    const finite = [...observed].filter(Number.isFinite);
    const size = Math.max(...finite.map(Math.abs), 1e-300);
    const known = data.named.find((one) => one.at === value);
    return [value, known?.letter ?? letter, exponent, finite.length ? Math.min(...finite) : "–", finite.length ? Math.max(...finite) : "–", new Set(finite.map((one) => Math.round((one / size) * 1e5))).size];
  });
  return { heads, rows };
}

export interface ExponentData {
  columns: readonly Column[];
  low: number;
  high: number;
  at: number;
  label: string;
  to: Steered;
}

export const mountExponents = paper<ExponentData>(250, (sheet, data) => {
  const { svg, ink, options, frame } = sheet;
  const { language } = options;
  const x = axis(data.low, data.high, frame.left, frame.right, isLog(data.low, data.high));
  const known = data.columns.filter((column) => Number.isFinite(column.exponent));
  const least = known.map((column) => column.exponent).sort((one, other) => one - other);
  const low = Math.max(Math.min(-0.1, least[Math.floor(least.length * 0.02)] ?? -1), -4);
  const high = Math.max(0.1, least.at(-1) ?? 1);
  const y = axis(low - 0.05 * (high - low), high + 0.08 * (high - low), frame.bottom, frame.top);
  const held = (value: number): number => y.at(Math.min(y.high, Math.max(y.low, value)));
  svg.append(drawn("rect", { x: frame.left, y: frame.top, width: frame.right - frame.left, height: Math.max(0, y.at(0) - frame.top), fill: ink.warning, "fill-opacity": 0.1 }));
  const band = known.filter((column) => Number.isFinite(column.error));
  if (band.length > 1) {
    const edge = (side: number): string => band.map((column) => `${x.at(column.value).toFixed(1)} ${held(column.exponent + side * 2 * column.error).toFixed(1)}`).join("L");
    const lower = [...band].reverse().map((column) => `${x.at(column.value).toFixed(1)} ${held(column.exponent - 2 * column.error).toFixed(1)}`).join("L");
    svg.append(drawn("path", { d: `M${edge(1)}L${lower}Z`, fill: ink.accent, "fill-opacity": 0.25 }));
  }
  svg.append(line(frame.left, y.at(0), frame.right, y.at(0), ink.ink, { "stroke-width": 3, "data-zero": 0 }));
  svg.append(trail(data.columns.map((column) => [x.at(column.value), Number.isFinite(column.exponent) ? held(column.exponent) : NaN] as const), ink.accent));
  const halo = { "font-size": 12, "paint-order": "stroke", stroke: ink.card, "stroke-width": 4 };
  svg.append(text(frame.left + 8, frame.top + 16, say(words.apart, language), ink.muted, halo), text(frame.right - 6, frame.bottom - 8, say(words.together, language), ink.muted, { "text-anchor": "end", ...halo }));
  dress(sheet, x, y, { x: say(words.rate, language), y: say(words.exponent, language) });
  cursor(sheet, x, data.at);
  steered(sheet, x, y, data.to);
  const heads = [say(words.rate, language), say(words.exponent, language), say(words.error, language), say(words.regime, language)];
  return { label: data.label, table: { heads, rows: data.columns.map((column) => [column.value, Number.isFinite(column.exponent) ? column.exponent : short(column.exponent), Number.isFinite(column.error) ? column.error : "–", column.letter]) } };
});
