// The regime map: colour and letter in each cell, hatched where nothing is sure.
import { ink as inkOn, parts } from "../core/colours";
import { drawn } from "../core/component";
import { say } from "../core/language";
import { numbers } from "../core/numbers";
import { line, text } from "../learn/svg";
import type { CellsPart, Sentence } from "../wire";
import { borders } from "./columns";
import { isLog } from "./diagram";
import { axis, cursor, dress, paper, steered, type Steered } from "./sheet";
import words from "./words.json";

export interface RegimesData {
  cells: readonly CellsPart[];
  low: number;
  high: number;
  second: Sentence;
  isWhole: boolean;
  /** Both ends of the other factor. */
  y: readonly [number, number];
  at: number;
  chosen: number | null;
  letters: Record<string, Sentence>;
  colours: Record<string, string>;
  label: string;
  to: Steered;
}

const HATCHED = "?V";

/** Where letters stand: one in each cell, or where cells are too narrow one in each stretch of equal cells. */
export function stretches(letters: string, isEach: boolean): { letter: string; from: number; to: number }[] {
  const found: { letter: string; from: number; to: number }[] = [];
  [...letters].forEach((letter, at) => {
    const last = found.at(-1);
    if (!isEach && last?.letter === letter) last.to = at + 1;
    else found.push({ letter, from: at, to: at + 1 });
  });
  return found;
}

export const mountRegimes = paper<RegimesData>(340, (sheet, data) => {
  const { svg, ink, options, frame } = sheet;
  const { language } = options;
  const rows = data.cells.map((row) => row.y);
  const edges = borders(rows, false);
  const half = data.isWhole ? 0.5 : rows.length > 1 ? (rows[1]! - rows[0]!) / 2 : 0.5;
  const x = axis(data.low, data.high, frame.left, frame.right, isLog(data.low, data.high));
  const y = axis(data.y[0] - half, data.y[1] + half, frame.bottom, frame.top);
  const hatch = drawn("pattern", { id: "tunnel-hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, drawn("path", { d: "M0 0V6", stroke: options.isDark ? "#cfd8de" : "#56636f", "stroke-width": 2 }));
  const clip = drawn("clipPath", { id: "tunnel-clip" }, drawn("rect", { x: frame.left, y: frame.top, width: frame.right - frame.left, height: frame.bottom - frame.top }));
  svg.append(drawn("defs", {}, hatch, clip));
  const group = drawn("g", { "clip-path": "url(#tunnel-clip)" });
  svg.append(group);
  const label = (letter: string, left: number, right: number, middle: number): void => {
    if (right - left < 10) return;
    const fill = data.colours[letter] ?? "#ffffff";
    const halo = HATCHED.includes(letter) ? { "paint-order": "stroke", stroke: fill, "stroke-width": 3 } : {};
    group.append(text((left + right) / 2, middle + 4, letter, inkOn(parts(fill)), { "text-anchor": "middle", "font-size": 12, ...halo }));
  };
  data.cells.forEach((row, at) => {
    const values = numbers(row.values);
    const sides = borders(values, x.isLog).map((value) => x.at(value));
    const [foot, head] = [y.at(edges[at] ?? row.y - half), y.at(edges[at + 1] ?? row.y + half)];
    for (const [place, letter] of [...row.letters].entries()) {
      const [left, right] = [sides[place]!, sides[place + 1]!];
      const fill = data.colours[letter] ?? "#ffffff";
      const box = { x: left, y: head, width: right - left + 0.4, height: foot - head + 0.4 };
      group.append(drawn("rect", { ...box, fill, "data-letter": letter }));
      if (HATCHED.includes(letter)) group.append(drawn("rect", { ...box, fill: "url(#tunnel-hatch)", "fill-opacity": 0.55 }));
    }
    if (foot - head >= 10) for (const { letter, from, to } of stretches(row.letters, sides[1]! - sides[0]! >= 11)) label(letter, sides[from]!, sides[to]!, (foot + head) / 2);
  });
  dress(sheet, x, y, { x: say(words.rate, language), y: say(data.second, language) });
  if (data.chosen !== null && data.chosen >= y.low && data.chosen <= y.high) svg.append(line(frame.left, y.at(data.chosen), frame.right, y.at(data.chosen), ink.error, { "stroke-width": 1.5, "stroke-dasharray": "4 3" }));
  cursor(sheet, x, data.at);
  steered(sheet, x, y, data.to);
  const heads = [say(data.second, language), say(words.rate, language), say(words.regime, language)];
  return { label: data.label, table: { heads, rows: data.cells.flatMap((row) => numbers(row.values).map((value, at) => [row.y, value, `${row.letters[at]} ${say(data.letters[row.letters[at]!] ?? { en: "", ja: "" }, language)}`])) } };
});
