// Where a value stands beside its limit: on a logarithmic scale where both are positive and far apart, else on a linear one.

export interface Place {
  value: number;
  limit: number;
  isLogarithmic: boolean;
  isCut: boolean;
}

/** Shares 0 … 1 of the width for a value and its limit; `null` where there is nothing to show. */
export function placed(value: number, limit: number): Place | null {
  if (Number.isNaN(value) || !Number.isFinite(limit)) return null;
  if (!Number.isFinite(value)) return { value: value > 0 ? 1 : 0, limit: 0.5, isLogarithmic: false, isCut: true };
  const isLogarithmic = value > 0 && limit > 0 && Math.max(value / limit, limit / value) > 5;
  const [at, end] = isLogarithmic ? [Math.log10(value), Math.log10(limit)] : [value, limit];
  const low = Math.min(at, end, isLogarithmic ? Infinity : 0);
  const high = Math.max(at, end, isLogarithmic ? -Infinity : 0);
  const span = high - low || Math.abs(high) || 1;
  const share = (place: number): number => 0.06 + (0.88 * (place - low)) / span;
  return { value: share(at), limit: share(end), isLogarithmic, isCut: false };
}
