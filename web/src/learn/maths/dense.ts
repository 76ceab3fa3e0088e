/** A small network for two classes on the plane, trained in the browser by full-batch descent with momentum. */
import { activation } from "./activations";
import { collapsed, type Affine } from "./matrix";
import { Random } from "./random";

export interface Example {
  readonly x: readonly [number, number];
  readonly label: 0 | 1;
}

/** A disc in a ring. */
export function circles(n: number, seed: number): Example[] {
  const random = new Random(seed);
  return Array.from({ length: n }, (_, index) => {
    const label = (index % 2) as 0 | 1;
    const radius = label ? 0.65 + 0.35 * random.uniform() : 0.45 * Math.sqrt(random.uniform());
    const angle = 2 * Math.PI * random.uniform();
    return { x: [radius * Math.cos(angle), radius * Math.sin(angle)] as const, label };
  });
}

interface Layer {
  w: number[][];
  b: number[];
  dw: number[][];
  db: number[];
}

export class Dense {
  readonly layers: Layer[];

  constructor(
    readonly widths: readonly number[],
    readonly phi: string,
    seed: number,
  ) {
    const random = new Random(seed);
    this.layers = widths.slice(1).map((after, at) => {
      const before = widths[at]!;
      return {
        w: Array.from({ length: before }, () => Array.from({ length: after }, () => random.normal() / Math.sqrt(before))),
        b: new Array<number>(after).fill(0),
        dw: Array.from({ length: before }, () => new Array<number>(after).fill(0)),
        db: new Array<number>(after).fill(0),
      };
    });
  }

  /** What comes out of each layer, the input first; the last is the logit. */
  forward(x: readonly number[]): number[][] {
    const { f } = activation(this.phi);
    const seen: number[][] = [[...x]];
    this.layers.forEach(({ w, b }, at) => {
      const input = seen[at]!;
      const z = b.map((bias, j) => input.reduce((sum, value, k) => sum + value * w[k]![j]!, bias));
      seen.push(at < this.layers.length - 1 ? z.map(f) : z);
    });
    return seen;
  }

  /** Probability of class 1. */
  says(x: readonly number[]): number {
    return 1 / (1 + Math.exp(-this.forward(x).at(-1)![0]!));
  }

  /** One step of descent with momentum on the logistic loss of all examples. */
  step(examples: readonly Example[], rate: number, momentum: number): void {
    const { slope } = activation(this.phi);
    for (const layer of this.layers) {
      layer.dw = layer.dw.map((row) => row.map((value) => momentum * value));
      layer.db = layer.db.map((value) => momentum * value);
    }
    for (const { x, label } of examples) {
      const sums = this.sums(x);
      const seen = this.forward(x);
      let delta = [this.says(x) - label].map((value) => value / examples.length);
      for (let at = this.layers.length - 1; at >= 0; at -= 1) {
        const layer = this.layers[at]!;
        const input = seen[at]!;
        delta.forEach((value, j) => {
          layer.db[j]! += value;
          input.forEach((one, k) => (layer.dw[k]![j]! += one * value));
        });
        if (at > 0) delta = input.map((_, k) => delta.reduce((sum, value, j) => sum + value * layer.w[k]![j]!, 0) * slope(sums[at - 1]![k]!));
      }
    }
    for (const layer of this.layers) {
      layer.w = layer.w.map((row, k) => row.map((value, j) => value - rate * layer.dw[k]![j]!));
      layer.b = layer.b.map((value, j) => value - rate * layer.db[j]!);
    }
  }

  /** The one affine layer that it is without activations. */
  matrix(): Affine {
    return collapsed(this.layers.map(({ w, b }) => ({ w, b })));
  }

  private sums(x: readonly number[]): number[][] {
    const { f } = activation(this.phi);
    let input: readonly number[] = x;
    return this.layers.map(({ w, b }) => {
      const z = b.map((bias, j) => input.reduce((sum, value, k) => sum + value * w[k]![j]!, bias));
      input = z.map(f);
      return z;
    });
  }
}

export function trained(widths: readonly number[], phi: string, examples: readonly Example[], steps: number, seed: number): Dense {
  const net = new Dense(widths, phi, seed);
  for (let t = 0; t < steps; t += 1) net.step(examples, 0.3, 0.9);
  return net;
}

export const accuracy = (net: Dense, examples: readonly Example[]): number =>
  examples.filter(({ x, label }) => (net.says(x) > 0.5 ? 1 : 0) === label).length / examples.length;
