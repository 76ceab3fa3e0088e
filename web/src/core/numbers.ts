import type { Num } from "../wire";

/** Strict JSON says NaN and the infinities as strings. */
export const number = (value: Num | null | undefined): number => (value === null || value === undefined ? NaN : Number(value));
export const numbers = (values: readonly Num[]): number[] => values.map(number);

/** Three significant digits, as people read them. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const isSmall = size < 1e-3 || size >= 1e5;
  const text = isSmall ? value.toExponential(2) : value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))));
  const trimmed = Number(text) === value ? text.replace(/\.?0+(?=e|$)/, (zeros) => (text.includes(".") ? "" : zeros)) : text;
  return trimmed.replace("e+", "e").replace("-", "−");
}

/** Places for about `count` ticks between two numbers. */
export function ticks(from: number, to: number, count: number): number[] {
  if (!(to > from)) return [from];
  const rough = Math.max((to - from) / count, 1e-300);
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = ([1, 2, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const found: number[] = [];
  for (let at = Math.ceil(from / unit); at * unit <= to; at += 1) found.push(at * unit);
  return found;
}

/** The last place whose number is at or before `wanted`; -1 before the first. */
export function placeOf(rising: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const half = (low + high) >> 1;
    if ((rising[half] as number) <= wanted) low = half + 1;
    else high = half;
  }
  return low - 1;
}
