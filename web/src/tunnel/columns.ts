// What came from the server, in the order of the learning rate.
import { numbers } from "../core/numbers";
import type { CellsPart, ColumnsPart } from "../wire";

export interface Column {
  value: number;
  letter: string;
  exponent: number;
  error: number;
  observed: Float64Array;
}

/** Numbers from base64, little-endian. */
export function unpacked(text: string): Uint8Array {
  const bytes = atob(text);
  const found = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) found[at] = bytes.charCodeAt(at);
  return found;
}

export const doubles = (text: string): Float64Array => new Float64Array(unpacked(text).buffer);
export const singles = (text: string): Float32Array => new Float32Array(unpacked(text).buffer);

/** Columns with those of a part among them, rising. */
export function merged(columns: readonly Column[], part: ColumnsPart): Column[] {
  const all = doubles(part.observed);
  const [values, exponents, errors] = [numbers(part.values), numbers(part.exponents), numbers(part.errors)];
  const fresh = values.map((value, at): Column => ({ value, letter: part.letters[at] ?? "?", exponent: exponents[at]!, error: errors[at]!, observed: all.subarray(at * part.keep, (at + 1) * part.keep) }));
  return [...columns, ...fresh].sort((one, other) => one.value - other.value);
}

/** Where the columns' borders are: half-way between neighbours, by factors where the axis is. */
export function borders(values: readonly number[], isLog: boolean): number[] {
  if (!values.length) return [];
  const [to, from] = isLog && values[0]! > 0 ? [Math.log, Math.exp] : [(value: number): number => value, (value: number): number => value];
  const inner = values.map(to);
  const half = inner.length > 1 ? (inner[1]! - inner[0]!) / 2 : 0.5;
  const last = inner.length > 1 ? (inner.at(-1)! - inner.at(-2)!) / 2 : 0.5;
  return [inner[0]! - half, ...inner.slice(1).map((value, at) => (value + inner[at]!) / 2), inner.at(-1)! + last].map(from);
}

/** Lowest and highest finite observation; by factors where none is negative and they span more than tenfold. */
export function reach(columns: readonly Column[]): { low: number; high: number; isLog: boolean } {
  let [low, high] = [Infinity, -Infinity];
  for (const { observed } of columns)
    for (const value of observed)
      if (Number.isFinite(value)) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
  if (low > high) return { low: 0, high: 1, isLog: false };
  const isLog = low >= 0 && high > 10 * low;
  if (isLog) low = Math.max(low, Number.EPSILON * high);
  if (low === high) high = low + Math.max(Math.abs(low), 1) * 1e-9;
  return { low, high, isLog };
}

/** How many observations fall into each cell, columns beside one another, rows from the lowest. */
export function density(columns: readonly Column[], x: (value: number) => number, y: (value: number) => number, size: { columns: number; rows: number }, isLog: boolean): { counts: Float64Array; most: number } {
  const counts = new Float64Array(size.columns * size.rows);
  const edges = borders(columns.map((column) => column.value), isLog).map((value) => x(value));
  let most = 0;
  columns.forEach(({ observed }, at) => {
    if (edges[at + 1]! <= 0 || edges[at]! >= size.columns) return;
    const from = Math.max(0, Math.round(edges[at]!));
    const to = Math.min(size.columns, Math.max(from + 1, Math.round(edges[at + 1]!)));
    for (const value of observed) {
      const row = Math.floor(y(value));
      if (!(row >= 0 && row < size.rows)) continue;
      for (let column = from; column < to; column += 1) {
        const cell = row * size.columns + column;
        counts[cell] = counts[cell]! + 1;
        if (counts[cell]! > most) most = counts[cell]!;
      }
    }
  });
  return { counts, most };
}

/** Share of each letter in a regime map. */
export function shares(cells: readonly CellsPart[]): Map<string, number> {
  const found = new Map<string, number>();
  const all = cells.map((row) => row.letters).join("");
  for (const letter of all) found.set(letter, (found.get(letter) ?? 0) + 1 / all.length);
  return found;
}
