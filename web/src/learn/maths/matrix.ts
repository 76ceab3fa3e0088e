/** Matrices as rows of numbers: small ones, to be looked at. */
export type Matrix = readonly (readonly number[])[];

export function product(a: Matrix, b: Matrix): number[][] {
  const inner = b.length;
  const width = b[0]?.length ?? 0;
  for (const row of a) {
    if (row.length !== inner) throw new Error(`A row of ${row.length} numbers cannot meet ${inner} rows.`);
  }
  return a.map((row) => Array.from({ length: width }, (_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

export function transposed(a: Matrix): number[][] {
  return Array.from({ length: a[0]?.length ?? 0 }, (_, j) => a.map((row) => row[j]!));
}

/** X W + b, the bias added to every row. */
export function affine(x: Matrix, w: Matrix, b: readonly number[]): number[][] {
  return product(x, w).map((row) => row.map((value, j) => value + b[j]!));
}

/** What entry (i, j) of X W + b is made of: the terms of the sum, the bias last. */
export function terms(x: Matrix, w: Matrix, b: readonly number[], i: number, j: number): number[] {
  return [...x[i]!.map((value, k) => value * w[k]![j]!), b[j]!];
}

export interface Affine {
  readonly w: Matrix;
  readonly b: readonly number[];
}

/** The one affine layer that layers without activations between them are: (X W1 + b1) W2 + b2 = X (W1 W2) + (b1 W2 + b2). */
export function collapsed(layers: readonly Affine[]): Affine {
  const [first, ...rest] = layers;
  if (first === undefined) throw new Error('A network needs at least one layer.');
  return rest.reduce<Affine>((whole, next) => ({ w: product(whole.w, next.w), b: affine([whole.b], next.w, next.b)[0]! }), first);
}
