/** Numerical derivatives beside backpropagation, on a real network with one hidden layer: passes counted, gradients compared. */
import { Random } from './random';

export interface Passes {
  readonly forward: number;
  readonly backward: number;
}

/** For one training example: n + 1 forward passes by one-sided differences, 2 n by central ones. */
export function numericPasses(weights: number, isCentral: boolean): Passes {
  return { forward: isCentral ? 2 * weights : weights + 1, backward: 0 };
}

export const BACKPROP: Passes = { forward: 1, backward: 1 };

export interface Comparison {
  readonly weights: number;
  readonly numeric: Passes;
  readonly backprop: Passes;
  readonly numericMilliseconds: number;
  readonly backpropMilliseconds: number;
  /** Largest difference between the two gradients over the largest entry. */
  readonly difference: number;
}

/** A network inputs -> hidden (tanh) -> 1 with squared error; the number of weights is hidden * (inputs + 2) + 1. */
export class Network {
  readonly weights: Float64Array;
  passes = { forward: 0, backward: 0 };
  private readonly x: Float64Array;
  private readonly target: number;

  constructor(
    readonly inputs: number,
    readonly hidden: number,
    seed: number,
  ) {
    const random = new Random(seed);
    this.weights = Float64Array.from({ length: hidden * (inputs + 2) + 1 }, () => random.normal() / Math.sqrt(inputs));
    this.x = Float64Array.from({ length: inputs }, () => random.normal());
    this.target = random.normal();
  }

  /** The loss, one forward pass. */
  loss(): number {
    this.passes.forward += 1;
    return (this.output().y - this.target) ** 2 / 2;
  }

  /** The gradient by one forward and one backward pass. */
  backward(): Float64Array {
    this.passes.forward += 1;
    this.passes.backward += 1;
    const { y, h } = this.output();
    const delta = y - this.target;
    const { inputs, hidden, weights } = this;
    const gradient = new Float64Array(weights.length);
    const top = hidden * (inputs + 1);
    for (let j = 0; j < hidden; j += 1) {
      gradient[top + j] = delta * h[j]!;
      const back = delta * weights[top + j]! * (1 - h[j]! ** 2);
      for (let k = 0; k < inputs; k += 1) gradient[j * (inputs + 1) + k] = back * this.x[k]!;
      gradient[j * (inputs + 1) + inputs] = back;
    }
    gradient[weights.length - 1] = delta;
    return gradient;
  }

  /** The gradient by differences, weight by weight. */
  numeric(isCentral: boolean): Float64Array {
    const { weights } = this;
    const step = isCentral ? 6e-6 : 1.5e-8; // cube root and square root of the rounding unit
    const gradient = new Float64Array(weights.length);
    const base = isCentral ? 0 : this.loss();
    for (let i = 0; i < weights.length; i += 1) {
      const kept = weights[i]!;
      weights[i] = kept + step;
      const up = this.loss();
      weights[i] = kept - step;
      gradient[i] = isCentral ? (up - this.loss()) / (2 * step) : (up - base) / step;
      weights[i] = kept;
    }
    return gradient;
  }

  private output(): { y: number; h: Float64Array } {
    const { inputs, hidden, weights } = this;
    const h = new Float64Array(hidden);
    let y = weights[weights.length - 1]!;
    const top = hidden * (inputs + 1);
    for (let j = 0; j < hidden; j += 1) {
      let z = weights[j * (inputs + 1) + inputs]!;
      for (let k = 0; k < inputs; k += 1) z += weights[j * (inputs + 1) + k]! * this.x[k]!;
      h[j] = Math.tanh(z);
      y += weights[top + j]! * h[j]!;
    }
    return { y, h };
  }
}

const LONG_ENOUGH = 4; // milliseconds; the clocks of browsers are coarse on purpose

/** Milliseconds of one call, from as many calls as a coarse clock needs. */
function timed(act: () => void, clock: () => number): number {
  for (let calls = 1; ; calls *= 4) {
    const begin = clock();
    for (let at = 0; at < calls; at += 1) act();
    const taken = clock() - begin;
    if (taken >= LONG_ENOUGH || calls > 4096) return taken / calls;
  }
}

/** Both ways on a network with about `weights` weights, timed by `clock` (milliseconds). */
export function compared(weights: number, isCentral: boolean, clock: () => number): Comparison {
  const inputs = Math.max(1, Math.round(Math.sqrt(weights)));
  const network = new Network(inputs, Math.max(1, Math.round((weights - 1) / (inputs + 2))), 1);
  const exact = network.backward();
  const backprop = { ...network.passes };
  network.passes = { forward: 0, backward: 0 };
  const measured = network.numeric(isCentral);
  const numeric = { ...network.passes };
  const largest = exact.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-300);
  const difference = exact.reduce((top, value, i) => Math.max(top, Math.abs(value - measured[i]!)), 0) / largest;
  return {
    weights: network.weights.length,
    numeric,
    backprop,
    numericMilliseconds: timed(() => network.numeric(isCentral), clock),
    backpropMilliseconds: timed(() => network.backward(), clock),
    difference,
  };
}
