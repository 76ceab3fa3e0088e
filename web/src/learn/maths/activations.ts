/** Activation functions with their derivatives, as a pupil meets them; the full catalogue is `kazami nets activations`. */

export interface Activation {
  readonly name: string;
  readonly f: (z: number) => number;
  readonly slope: (z: number) => number;
  /** The greatest slope anywhere. */
  readonly steepest: number;
}

const sigmoid = (z: number): number => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));

/** Standard normal distribution function, by the complementary error function's rational approximation (Abramowitz and Stegun 7.1.26, |error| < 1.5e-7). */
function normal(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-x * x);
  return z >= 0 ? 1 - tail / 2 : tail / 2;
}

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

export const ACTIVATIONS: readonly Activation[] = [
  { name: 'step', f: (z) => (z > 0 ? 1 : 0), slope: () => 0, steepest: 0 },
  { name: 'identity', f: (z) => z, slope: () => 1, steepest: 1 },
  { name: 'sigmoid', f: sigmoid, slope: (z) => sigmoid(z) * (1 - sigmoid(z)), steepest: 0.25 },
  { name: 'tanh', f: Math.tanh, slope: (z) => 1 - Math.tanh(z) ** 2, steepest: 1 },
  { name: 'relu', f: (z) => Math.max(0, z), slope: (z) => (z > 0 ? 1 : 0), steepest: 1 },
  { name: 'gelu', f: (z) => z * normal(z), slope: (z) => normal(z) + z * density(z), steepest: 1.1289 },
  { name: 'silu', f: (z) => z * sigmoid(z), slope: (z) => sigmoid(z) * (1 + z * (1 - sigmoid(z))), steepest: 1.0998 },
];

export function activation(name: string): Activation {
  const found = ACTIVATIONS.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no activation called ${name}; there are ${ACTIVATIONS.map((one) => one.name).join(', ')}.`);
  return found;
}
