import type { LossPicture, MapPicture, Num } from "../wire";
import { weight } from "./colours";
import { numbers } from "./numbers";

/** More columns than a wide screen has pixels for; when live columns are twice as many, neighbours become one. */
export const MOST = 1500;

function hold(row: number[]): number[] {
  for (let at = 1; at < row.length; at += 1) if (Number.isNaN(row[at]!)) row[at] = row[at - 1]!;
  return row;
}

const least = (one: number, other: number): number => (Number.isNaN(one) ? other : Number.isNaN(other) ? one : Math.min(one, other));
const most = (one: number, other: number): number => (Number.isNaN(one) ? other : Number.isNaN(other) ? one : Math.max(one, other));
const remarkable = (one: number, other: number): number => (weight(other) > weight(one) ? other : one);

function halved(row: number[], join: (one: number, other: number) => number): number[] {
  const found: number[] = [];
  for (let at = 0; at < row.length; at += 2) found.push(at + 1 < row.length ? join(row[at]!, row[at + 1]!) : row[at]!);
  return found;
}

/** The weather of the layers over the steps; a layer that was not seen at a step holds its value. */
export class MapColumns {
  steps: number[];
  names: string[];
  recorded: number;
  wind: number[][];
  low: number[][];
  high: number[][];
  norm: number[][];
  normLow: number[][];

  constructor(picture: MapPicture) {
    const rows = (matrix: Num[][], otherwise: number[][]): number[][] => (matrix.length ? matrix.map((row) => hold(numbers(row))) : otherwise.map((row) => [...row]));
    this.steps = [...picture.steps];
    this.names = picture.names;
    this.recorded = picture.recorded;
    this.wind = picture.wind.map((row) => hold(numbers(row)));
    this.low = rows(picture.wind_low, this.wind);
    this.high = rows(picture.wind_high, this.wind);
    this.norm = picture.norm.map((row) => hold(numbers(row)));
    this.normLow = rows(picture.norm_low, this.norm);
  }

  get isEmpty(): boolean {
    return !this.steps.length || !this.wind.length;
  }

  /** Add measured steps; one row a layer. */
  append(steps: readonly number[], wind: readonly Num[][], norm: readonly Num[][], names?: string[]): void {
    if (names && names.length > this.names.length) this.names = names;
    this.#widen(wind.length);
    this.wind.forEach((row, layer) => {
      const winds = wind[layer] ? numbers(wind[layer]) : steps.map(() => NaN);
      const norms = norm[layer] ? numbers(norm[layer]) : steps.map(() => NaN);
      for (let at = 0; at < steps.length; at += 1) {
        const value = Number.isNaN(winds[at]!) ? (row.at(-1) ?? NaN) : winds[at]!;
        const size = Number.isNaN(norms[at]!) ? (this.norm[layer]!.at(-1) ?? NaN) : norms[at]!;
        for (const target of [row, this.low[layer]!, this.high[layer]!]) target.push(value);
        this.norm[layer]!.push(size);
        this.normLow[layer]!.push(size);
      }
    });
    this.steps.push(...steps);
    this.recorded += steps.length;
    while (this.steps.length > 2 * MOST) this.#halve();
  }

  #widen(layers: number): void {
    while (this.wind.length < layers) {
      for (const matrix of [this.wind, this.low, this.high, this.norm, this.normLow]) matrix.push(this.steps.map(() => NaN));
      if (this.names.length < this.wind.length) this.names = [...this.names, String(this.wind.length)];
    }
  }

  #halve(): void {
    this.steps = this.steps.filter((_, at) => at % 2 === 0);
    this.wind = this.wind.map((row) => halved(row, remarkable));
    this.low = this.low.map((row) => halved(row, least));
    this.high = this.high.map((row) => halved(row, most));
    this.norm = this.norm.map((row) => halved(row, most));
    this.normLow = this.normLow.map((row) => halved(row, least));
  }
}

/** The loss over the steps: lowest and highest of each column, NaN where there was no finite one. */
export class LossColumns {
  steps: number[];
  low: number[];
  high: number[];
  lost: number[];

  constructor(picture: LossPicture) {
    this.steps = [...picture.steps];
    this.low = numbers(picture.low);
    this.high = numbers(picture.high);
    this.lost = [...picture.lost];
  }

  append(steps: readonly number[], loss: readonly Num[]): void {
    const values = numbers(loss).map((value) => (Number.isFinite(value) ? value : NaN));
    steps.forEach((step, at) => {
      if (Number.isNaN(values[at]!)) this.lost.push(step);
      this.steps.push(step);
      this.low.push(values[at]!);
      this.high.push(values[at]!);
    });
    while (this.steps.length > 2 * MOST) this.#halve();
  }

  #halve(): void {
    this.steps = this.steps.filter((_, at) => at % 2 === 0);
    this.low = halved(this.low, least);
    this.high = halved(this.high, most);
    if (this.lost.length > MOST) this.lost = this.lost.filter((_, at) => at % 2 === 0);
  }

  /** A running median: it keeps steps and does not smear a spike. */
  smooth(): number[] {
    const reach = Math.max(1, Math.round(this.steps.length / 120));
    const centre = this.low.map((low, at) => (low + this.high[at]!) / 2);
    return centre.map((value, at) => {
      if (!Number.isFinite(value)) return NaN;
      const near = centre.slice(Math.max(0, at - reach), at + reach + 1).filter(Number.isFinite).sort((one, other) => one - other);
      return near[near.length >> 1]!;
    });
  }
}
