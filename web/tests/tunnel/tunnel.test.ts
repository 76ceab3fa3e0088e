import { describe, expect, it } from "vitest";
import { Linked } from "../../src/core/component";
import { shadeColour } from "../../src/tunnel/boundary";
import { borders, density, doubles, merged, reach, shares, type Column } from "../../src/tunnel/columns";
import { isLog, mountDiagram, mountExponents } from "../../src/tunnel/diagram";
import { findingOf } from "../../src/tunnel/findings";
import { mountOrbit, VIEWS } from "../../src/tunnel/orbit";
import { mountRegimes, stretches } from "../../src/tunnel/regimes";
import { axis } from "../../src/tunnel/sheet";
import type { ColumnsPart, OrbitPart } from "../../src/wire";

const packed = (values: number[]): string => btoa(String.fromCharCode(...new Uint8Array(new Float64Array(values).buffer)));
const column = (value: number, observed: number[], letter = "P", exponent = -0.1): Column => ({ value, letter, exponent, error: 0.01, observed: Float64Array.from(observed) });
const part = (values: number[], keep: number, observed: number[]): ColumnsPart => ({ values, letters: "C".repeat(values.length), exponents: values.map(() => -1), errors: values.map(() => "NaN" as const), keep, observed: packed(observed) });
const steered = { onAt: () => undefined, onStep: () => undefined };
const options = { language: "en" as const, isDark: false, linked: new Linked() };
const name = { en: "loss", ja: "損失" };

describe("columns", () => {
  it("are unpacked bit for bit, NaN among them", () => {
    expect([...doubles(packed([0.1, NaN, -(2 ** -1000)]))]).toEqual([0.1, NaN, -(2 ** -1000)]);
  });
  it("of several parts stand in the order of the learning rate", () => {
    const both = merged(merged([], part([1, 3], 2, [10, 11, 30, 31])), part([2], 2, [20, 21]));
    expect(both.map((one) => one.value)).toEqual([1, 2, 3]);
    expect(both.map((one) => [...one.observed])).toEqual([[10, 11], [20, 21], [30, 31]]);
    expect(both[0]!.error).toBeNaN();
  });
  it("have borders half-way, by factors where the axis is", () => {
    expect(borders([1, 2, 4], false)).toEqual([0.5, 1.5, 3, 5]);
    borders([1, 4, 16], true).forEach((value, at) => expect(value).toBeCloseTo([0.5, 2, 8, 32][at]!));
  });
  it("say their reach, by factors where they span more than tenfold", () => {
    expect(reach([column(1, [1, 2, NaN])])).toEqual({ low: 1, high: 2, isLog: false });
    expect(reach([column(1, [1e-6, 1])]).isLog).toBe(true);
    expect(reach([column(1, [-1e-6, 1])]).isLog).toBe(false);
    expect(reach([column(1, [NaN])])).toEqual({ low: 0, high: 1, isLog: false });
  });
  it("fill the cells they pass through: a 3-cycle has three rows, and nothing is lost", () => {
    const { counts, most } = density([column(1, [0, 4, 8, 0, 4, 8]), column(2, [0, 4, 8, 0, 4, 8])], (value) => (value - 0.5) * 2, (value) => value, { columns: 4, rows: 9 }, false);
    const rows = new Set([...counts].flatMap((count, cell) => (count ? [Math.floor(cell / 4)] : [])));
    expect([...rows].sort()).toEqual([0, 4, 8]);
    expect(most).toBe(2);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(24);
  });
  it("outside the window leave no mark", () => {
    const { most } = density([column(1, [4]), column(9, [4])], (value) => (value - 4) * 2, (value) => value, { columns: 4, rows: 9 }, false);
    expect(most).toBe(1); // both reach half-way to the other, over the whole window
    expect(density([column(1, [4]), column(2, [4]), column(9, [4])], (value) => (value - 6) * 8, (value) => value, { columns: 4, rows: 9 }, false).counts.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(density([column(1, [4]), column(1.1, [4])], (value) => (value - 6) * 2, (value) => value, { columns: 4, rows: 9 }, false).most).toBe(0);
  });
});

describe("axes", () => {
  it.each([[0.8, 2.05, false], [1e-3, 1e6, true]])("from %d to %d go there and back", (low, high, log) => {
    const x = axis(low, high, 60, 600, log);
    for (const value of [low, (low + high) / 3, high]) expect(x.back(x.at(value))).toBeCloseTo(value, 6);
    expect(x.ticks.length).toBeGreaterThan(2);
    expect(x.ticks.length).toBeLessThan(14);
  });
  it("are by factors from a span of 30 on, as the server's columns are", () => {
    expect([isLog(1, 31), isLog(1, 29), isLog(0, 100)]).toEqual([true, false, false]);
  });
});

describe("pictures", () => {
  it("of a diagram mark the cursor and 2/λmax, and have a table", () => {
    const host = document.createElement("div");
    const made = mountDiagram(host, { columns: [column(1, [1, 1], "C"), column(2, [1, 2])], low: 1, high: 2, y: null, at: 1.5, changes: [], threshold: 1.2, observable: name, named: [], colours: {}, label: "said", to: steered }, options);
    const place = (which: string): number => Number(host.querySelector(`[data-${which}]`)!.getAttribute("x1"));
    expect(place("threshold")).toBeLessThan(place("cursor"));
    expect(host.querySelector("svg")!.getAttribute("aria-label")).toBe("said");
    expect(made.table().rows.map((row) => row[5])).toEqual([1, 2]); // different values
    made.destroy();
    expect(host.childElementCount).toBe(0);
  });
  it("hand keys and pointers on", () => {
    const host = document.createElement("div");
    const heard: unknown[] = [];
    const to = { onAt: (x: number) => heard.push(x), onStep: (by: number) => heard.push(by), onBack: () => heard.push("back"), onWhole: () => heard.push("whole"), onZoom: (factor: number) => heard.push(factor) };
    mountExponents(host, { columns: [column(1, [1]), column(2, [1])], low: 1, high: 2, at: 1.5, label: "", to }, options);
    const svg = host.querySelector("svg")!;
    for (const key of ["ArrowLeft", "ArrowRight", "+", "Backspace", "0", "x"]) svg.dispatchEvent(new KeyboardEvent("keydown", { key }));
    svg.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true }));
    expect(heard).toEqual([-1, 1, 0.5, "back", "whole", 10]);
    expect(svg.querySelector("[data-zero]")!.getAttribute("stroke-width")).toBe("3");
  });
  it("of regimes have colour, letter and hatching where unsure", () => {
    const host = document.createElement("div");
    mountRegimes(host, { cells: [{ row: 0, y: 0, values: [1, 2], letters: "C?" }], low: 1, high: 2, second: name, isWhole: true, y: [0, 1], at: 1, chosen: null, letters: {}, colours: { C: "#a9d6e5", "?": "#ffffff" }, label: "", to: steered }, options);
    expect([...host.querySelectorAll("[data-letter]")].map((one) => one.getAttribute("data-letter"))).toEqual(["C", "?"]);
    expect(host.querySelectorAll('[fill="url(#tunnel-hatch)"]').length).toBe(1);
    expect(host.textContent).toContain("?");
    expect(stretches("CCP", false).map((one) => [one.letter, one.from, one.to])).toEqual([["C", 0, 2], ["P", 2, 3]]);
    expect(stretches("CC", true).length).toBe(2);
    expect(shares([{ row: 0, y: 0, values: [], letters: "CCCX" }]).get("C")).toBe(0.75);
  });
  it.each(VIEWS)("of an orbit can be drawn as %s, also where it was lost", (view) => {
    const orbit: OrbitPart = { at: 1, second: "NaN", letter: "P", sentence: name, confidence: 1, first: 10, observed: [1, 2, 1, 2], frequencies: [0.25, 0.5], power: [0.1, 0.9], exponents: [-0.5], errors: [0.1], counts: [1, 2], convergence: [[-0.4, -0.5]], distances: [-20, -19, -18, "NaN"], window: [0, 3], slope: 1, warnings: [] };
    for (const one of [orbit, { ...orbit, observed: ["NaN", "NaN"] as ("NaN" | number)[], frequencies: [], power: [], exponents: [], errors: [], counts: [], convergence: [], window: [] }]) {
      const host = document.createElement("div");
      const made = mountOrbit(host, { orbit: one as OrbitPart, view, observable: name, label: "said" }, options);
      expect(host.innerHTML).not.toMatch(/[="\s(]NaN[\s",)]/);
      expect(made.table().heads.length).toBeGreaterThan(0);
    }
  });
  it("of trainability are blue where it trains, red where not, grey where unknown", () => {
    const [r, , b] = shadeColour(-0.5);
    const [red, , blue] = shadeColour(0.5);
    expect(b).toBeGreaterThan(r);
    expect(red).toBeGreaterThan(blue);
    expect(shadeColour(NaN)[3]).toBeLessThan(255);
  });
});

describe("the sentence over a diagram", () => {
  const view = { low: 1, high: 2, y: null, columns: [column(1, [1], "X"), column(2, [1], "X")], changes: [], threshold: NaN, how: "", isPreview: false };
  const letters = { X: { en: "chaos", ja: "カオス" } };
  it("names what there is", () => {
    expect(findingOf(view, letters).en).toBe("Everywhere here: chaos");
    const changes = [{ kind: "doubling", say: name, low: 1, high: 1.1, before: 1, after: 2, estimate: 1.05 }];
    expect(findingOf({ ...view, changes }, letters)).toEqual({ en: "The period doubles at η = 1.05", ja: "η = 1.05 で周期が倍に" });
  });
  it("says nothing of columns that are not its own", () => {
    expect(findingOf({ ...view, isPreview: true }, letters).en).not.toContain("chaos");
  });
});
