/**
 * Gradient descent on the two weights of the smallest deep network, x -> u v x, that should learn 1 -> 1: C(u, v) = (u v - 1)^2 / 2.
 *
 * With u = v = x the step is x <- (1 + a) x - a x^3, a the learning rate: monotone below 2 sqrt(2) - 2, zig-zag up to 1, then cycles of period 2, 4, 8, ...
 * from 1, sqrt(5) - 1, ..., chaos from about 1.30228 on, escape beyond 2 (Chen et al. 2023, arXiv 2310.01687).
 */
export type Point = readonly [number, number];

export const MONOTONE = 2 * Math.SQRT2 - 2;
export const DOUBLING = 1;
export const FOURFOLD = Math.sqrt(5) - 1;
export const ACCUMULATION = 1.30228;
export const ESCAPE = 2;

export function cost([u, v]: Point): number {
  return (u * v - 1) ** 2 / 2;
}

export function gradient([u, v]: Point): Point {
  const error = u * v - 1;
  return [error * v, error * u];
}

export function step([u, v]: Point, rate: number): Point {
  const [du, dv] = gradient([u, v]);
  return [u - rate * du, v - rate * dv];
}

/** The walk from a start, stopped where it leaves every bound. */
export function walk(start: Point, rate: number, steps: number): Point[] {
  const path: Point[] = [start];
  for (let t = 0; t < steps; t += 1) {
    const next = step(path[path.length - 1]!, rate);
    if (!Number.isFinite(next[0]) || !Number.isFinite(next[1]) || Math.hypot(...next) > 1e6) break;
    path.push(next);
  }
  return path;
}

export type Fate = 'crawl' | 'converge' | 'zigzag' | 'cycle' | 'chaos' | 'escape';

export interface Verdict {
  readonly fate: Fate;
  /** Period of the cycle that is reached, 1 for a point. */
  readonly period: number | null;
  /** Growth of a tiny difference per step, natural logarithm, along the orbit. */
  readonly exponent: number;
}

/** What becomes of the walk, looked at and not looked up: run long, then measured. */
export function fate(start: Point, rate: number): Verdict {
  const path = walk(start, rate, 4000);
  if (path.length < 4001) return { fate: 'escape', period: null, exponent: Infinity };
  const exponent = growth(path, rate);
  const last = path[path.length - 1]!;
  const near = (other: Point): boolean => Math.hypot(last[0] - other[0], last[1] - other[1]) < 1e-6;
  const period = [1, 2, 4, 8, 16, 32, 3, 6, 12, 5, 10, 7, 9].find((p) => near(path[path.length - 1 - p]!)) ?? null;
  if (period === null) return { fate: exponent > 0 ? 'chaos' : 'crawl', period, exponent };
  if (period > 1) return { fate: 'cycle', period, exponent };
  if (cost(path[40]!) > 0.01 * cost(start) + 1e-12) return { fate: 'crawl', period, exponent };
  return { fate: overshoots(path) ? 'zigzag' : 'converge', period, exponent };
}

function overshoots(path: readonly Point[]): boolean {
  const errors = path.slice(5, 60).map(([u, v]) => u * v - 1).filter((e) => Math.abs(e) > 1e-12);
  return errors.some((e, t) => t > 0 && e * errors[t - 1]! < 0);
}

/** The largest Lyapunov exponent along the second half of a walk: the mean growth of a tangent vector under I - rate * Hessian. */
export function growth(path: readonly Point[], rate: number): number {
  let vector: [number, number] = [0.6, 0.8];
  let sum = 0;
  let counted = 0;
  path.forEach(([u, v], t) => {
    const mixed = 2 * u * v - 1;
    const next: [number, number] = [vector[0] - rate * (v * v * vector[0] + mixed * vector[1]), vector[1] - rate * (mixed * vector[0] + u * u * vector[1])];
    const length = Math.hypot(...next);
    if (length === 0) return;
    vector = [next[0] / length, next[1] / length];
    if (t >= path.length / 2) {
      sum += Math.log(length);
      counted += 1;
    }
  });
  return counted ? sum / counted : 0;
}

/** Two walks whose starts differ by `apart`: their distance after each step. */
export function distances(start: Point, rate: number, steps: number, apart: number): number[] {
  const first = walk(start, rate, steps);
  const second = walk([start[0] + apart, start[1]], rate, steps);
  return first.slice(0, Math.min(first.length, second.length)).map(([u, v], t) => Math.hypot(u - second[t]![0], v - second[t]![1]));
}
