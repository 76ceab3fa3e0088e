import { describe, expect, it } from "vitest";
import { held, levelOf, missing, rateAt, seen, shareOf, WHOLE, zoomed } from "../../src/tunnel/tiles";

const grid = { low: 0.1, high: 1e4, side: 64, deepest: 36 };

describe("tiles", () => {
  it("are by factors, there and back", () => {
    expect(rateAt(grid, 0)).toBe(0.1);
    expect(rateAt(grid, 0.6)).toBeCloseTo(100, 9);
    expect(shareOf(grid, rateAt(grid, 0.123456789))).toBeCloseTo(0.123456789, 12);
  });
  it("cover a window wholly, the middle first, rows counted from the top", () => {
    const found = seen(2, { x: 0.26, y: 0.01, size: 0.4 });
    expect([...found].sort()).toEqual([[2, 1, 2], [2, 1, 3], [2, 2, 2], [2, 2, 3]]);
    expect(seen(3, { x: 0.5, y: 0.5, size: 0.125 })).toEqual([[3, 4, 3]]);
    expect(seen(4, WHOLE)[0]!.slice(1).every((at) => at === 7 || at === 8)).toBe(true);
  });
  it("are drawn between 96 and 192 pixels wide at every depth", () => {
    for (const size of [1, 0.3, 0.01, 1e-7]) {
      const wide = 430 / (size * 2 ** levelOf(grid, { x: 0, y: 0, size }, 430));
      expect(wide).toBeGreaterThanOrEqual(96);
      expect(wide).toBeLessThan(192);
    }
  });
  it("are asked for from coarse to fine, and none twice", () => {
    const glass = { x: 0.3, y: 0.3, size: 2 ** -6 };
    const all = missing(grid, glass, 430, () => false);
    const levels = all.map(([z]) => z);
    expect(levels[0]).toBe(0);
    expect(levels).toEqual([...levels].sort((one, other) => one - other));
    expect(missing(grid, glass, 430, ([z]) => z <= levels[1]!).every(([z]) => z > levels[1]!)).toBe(true);
    expect(missing(grid, glass, 430, () => true)).toEqual([]);
  });
});

describe("a window", () => {
  it("keeps what lies under the pointer when it is zoomed", () => {
    const glass = { x: 0.2, y: 0.4, size: 0.5 };
    const next = zoomed(grid, glass, 0.37, 0.25, 0.8);
    expect(next.x + 0.25 * next.size).toBeCloseTo(glass.x + 0.25 * glass.size, 12);
    expect(next.y + 0.8 * next.size).toBeCloseTo(glass.y + 0.8 * glass.size, 12);
  });
  it("stays inside the whole and above the last level", () => {
    expect(held(grid, { x: -3, y: 0.9, size: 0.5 })).toEqual({ x: 0, y: 0.5, size: 0.5 });
    expect(zoomed(grid, WHOLE, 9)).toEqual(WHOLE);
    expect(held(grid, { x: 0.5, y: 0.5, size: 0 }).size).toBeGreaterThan(0);
  });
});
