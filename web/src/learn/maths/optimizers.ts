/** Optimizers as PyTorch defines them, with its usual settings, on two weights. */
import { cost, gradient, type Point } from "./descent";

/** From the weights, their gradient and the number of the step (from 1) to the next weights; what is remembered stays inside. */
type Rule = (weights: Point, slope: Point, step: number) => Point;

export const OPTIMIZERS: Readonly<Record<string, (rate: number) => Rule>> = {
  SGD: (rate) => (w, g) => each((at) => w[at]! - rate * g[at]!),
  "SGD + momentum": (rate) => {
    let pace: Point = [0, 0];
    return (w, g) => {
      pace = each((at) => 0.9 * pace[at]! + g[at]!);
      return each((at) => w[at]! - rate * pace[at]!);
    };
  },
  RMSprop: (rate) => {
    let square: Point = [0, 0];
    return (w, g) => {
      square = each((at) => 0.99 * square[at]! + 0.01 * g[at]! ** 2);
      return each((at) => w[at]! - (rate * g[at]!) / (Math.sqrt(square[at]!) + 1e-8));
    };
  },
  Adam: (rate) => {
    let mean: Point = [0, 0];
    let square: Point = [0, 0];
    return (w, g, step) => {
      mean = each((at) => 0.9 * mean[at]! + 0.1 * g[at]!);
      square = each((at) => 0.999 * square[at]! + 0.001 * g[at]! ** 2);
      const [first, second] = [1 - 0.9 ** step, 1 - 0.999 ** step];
      return each((at) => w[at]! - ((rate / first) * mean[at]!) / (Math.sqrt(square[at]! / second) + 1e-8));
    };
  },
};

const each = (of: (at: 0 | 1) => number): Point => [of(0), of(1)];

/** The walk of an optimizer, with the loss at each of its places; it ends where it leaves `reach`. */
export function walkOf(name: string, start: Point, rate: number, steps: number, reach: number): [number, number, number][] {
  const rule = OPTIMIZERS[name]!(rate);
  let weights = start;
  const path: [number, number, number][] = [[...start, cost(start)]];
  for (let step = 1; step <= steps; step += 1) {
    weights = rule(weights, gradient(weights), step);
    path.push([...weights, cost(weights)]);
    if (!(Math.abs(weights[0]) <= reach && Math.abs(weights[1]) <= reach)) break;
  }
  return path;
}
