import { expect, test } from "vitest";
import { LossColumns, MapColumns, MOST } from "../src/core/columns";
import type { LossPicture, MapPicture, Num } from "../src/wire";

const title = { en: "", ja: "" };
const picture = (wind: Num[][], steps: number[]): MapPicture => ({ title, names: wind.map((_, at) => `fc${at}`), steps, recorded: steps.length, now: [], wind, norm: wind, wind_low: [], wind_high: [], norm_low: [] });
const loss = (steps: number[], values: number[]): LossPicture => ({ title, steps, low: values, high: values, lost: [], trivial: null, validation: null });

test("a layer that was not seen holds its value, what is lost stays lost", () => {
  const columns = new MapColumns(picture([[-1, "NaN", -2, "Infinity"]], [1, 2, 3, 4]));
  expect(columns.wind[0]).toEqual([-1, -1, -2, Infinity]);
});

test("appending joins on, also for layers that appear later", () => {
  const columns = new MapColumns(picture([[-1]], [1]));
  columns.append([2, 3], [[-2, "NaN"], [0, 1]], [[1, 1], [1, 1]], ["a", "b"]);
  expect(columns.steps).toEqual([1, 2, 3]);
  expect(columns.wind).toEqual([[-1, -2, -2], [NaN, 0, 1]]);
  expect(columns.names).toEqual(["a", "b"]);
});

test("however long a run, columns stay bounded and its one storm stays", () => {
  const columns = new MapColumns(picture([[-1]], [1]));
  const n = 20_000;
  for (let step = 2; step <= n; step += 1) columns.append([step], [[step === 7_777 ? 1.97 : -1]], [[1]]);
  expect(columns.steps.length).toBeLessThanOrEqual(2 * MOST);
  expect(Math.max(...columns.wind[0]!)).toBe(1.97);
  expect(columns.recorded).toBe(n);
  const at = columns.wind[0]!.indexOf(1.97);
  expect(columns.steps[at]).toBeLessThanOrEqual(7_777);
  expect(columns.steps[at + 1]).toBeGreaterThan(7_777);
});

test("a spike of the loss survives thinning, a NaN is remembered by its step", () => {
  const columns = new LossColumns(loss([1], [1]));
  for (let step = 2; step <= 10_000; step += 1) columns.append([step], [step === 4_321 ? 99 : step === 5_000 ? "NaN" : 1]);
  expect(Math.max(...columns.high.filter(Number.isFinite))).toBe(99);
  expect(columns.lost).toEqual([5_000]);
});

test("the smooth line keeps a step where a mean would smear it", () => {
  const steps = Array.from({ length: 1_200 }, (_, at) => at + 1);
  const columns = new LossColumns(loss(steps, steps.map((step) => (step <= 600 ? 2 : 1))));
  expect(columns.smooth().slice(596, 604)).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
});
