import { describe, expect, it } from "vitest";
import { Linked } from "../../src/core/component";
import { mountFlat } from "../../src/scene/flat";
import { mountRelief } from "../../src/scene/mount";
import { contour, levels, rise, type Relief } from "../../src/scene/relief";

const side = Array.from({ length: 41 }, (_, at) => -2 + at / 10);
const of = (height: (x: number, y: number) => number): number[] => side.flatMap((y) => side.map((x) => height(x, y)));
const bowl: Relief = { x: side, y: side, heights: of((x, y) => x * x + y * y), names: { x: "x", y: "y", z: "loss" }, walks: [{ name: "SGD", points: [[1, 1, 2], [0.5, 0.5, 0.5]] }], isLog: false, ceiling: 3, label: "a bowl" };
const options = { language: "en" as const, isDark: false, linked: new Linked() };

describe("lines of equal loss", () => {
  it("of a bowl are circles", () => {
    const found = contour(bowl, 1);
    expect(found.length).toBeGreaterThan(60);
    for (const [x, y] of found) expect(Math.hypot(x, y)).toBeCloseTo(1, 1);
    const length = found.reduce((sum, [x1, y1, x2, y2]) => sum + Math.hypot(x2 - x1, y2 - y1), 0);
    expect(length).toBeCloseTo(2 * Math.PI, 1);
  });
  it("of a saddle do not cross", () => {
    const saddle = { x: [0, 1], y: [0, 1], heights: [1, -1, -1, 1] }; // round the cell: 1, −1, 1, −1; its middle is 0
    const pieces = contour(saddle, 0.5);
    expect(pieces.length).toBe(2);
    const middles = pieces.map(([x1, y1, x2, y2]) => (x1 + x2) / 2 + (y1 + y2) / 2).sort();
    expect(middles[0]).toBeLessThan(0.5); // one around each high corner
    expect(middles[1]).toBeGreaterThan(1.5);
  });
  it("leave out what is not finite", () => expect(contour({ x: [0, 1], y: [0, 1], heights: [0, 1, NaN, 1] }, 0.5)).toEqual([]));
});

describe("heights", () => {
  it("go from the lowest loss to the ceiling, and back", () => {
    const to = rise(bowl);
    expect([to.floor, to.ceiling]).toEqual([0, 3]);
    expect(to.of(99)).toBe(1);
    expect(to.back(to.of(1.7))).toBeCloseTo(1.7, 12);
    for (const level of levels(to)) expect(level).toBeGreaterThan(0);
    const log = rise({ ...bowl, heights: [1e-4, 1e4], isLog: true, ceiling: Infinity });
    expect(log.of(1)).toBeCloseTo(0.5, 12);
  });
});

describe("the picture", () => {
  it("from above has the walks, their table, and hands places on", () => {
    const host = document.createElement("div");
    const made = mountFlat(host, bowl, options);
    expect(host.querySelector('[data-walk="SGD"]')).not.toBeNull();
    expect(made.table().rows).toEqual([[0, 1, 1, 2], [1, 0.5, 0.5, 0.5]]);
    made.destroy();
    expect(host.childElementCount).toBe(0);
  });
  it("without WebGL stays flat and says so", async () => {
    const host = document.createElement("div");
    const original = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) { return kind === "webgl2" ? null : (original as (...all: unknown[]) => unknown).call(this, kind, ...rest); } as never;
    try {
      const said = await new Promise<string>((resolve) => { mountRelief(host, { ...bowl, isSolid: true, onFlat: () => resolve("flat") }, options); });
      expect(said).toBe("flat");
      expect(host.querySelector("canvas")).toBeNull();
      expect(host.querySelector('[data-walk="SGD"]')).not.toBeNull();
    } finally {
      HTMLCanvasElement.prototype.getContext = original;
    }
  });
});
