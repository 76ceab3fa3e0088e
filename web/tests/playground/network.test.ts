// The picture of the network: which columns are drawn, what stands between them, and where shortcuts lead.
import { describe, expect, it } from "vitest";
import { Linked } from "../../src/core/component";
import { columnsOf, mountNetwork, structure } from "../../src/playground/network";
import type { Block, LayerSight } from "../../src/wire";

const block = (kind: Block["kind"], more: Partial<Block> = {}): Block => ({ kind, width: 8, name: "tanh", rate: 0.1, shortcut: "identity", blocks: [], ...more });
const layer = (name: string, inputs: number, outputs: number, weights: (number | null)[][] = []): LayerSight => ({ name, wind: 0, gradient_norm: 1, weight_norm: 1, inputs, outputs, weights });

describe("the structure of a network", () => {
  it("has what follows each linear map, and an arc from before a residual block to behind it", () => {
    const blocks = [block("linear"), block("activation"), block("residual", { blocks: [block("linear"), block("norm", { name: "layer" }), block("activation", { name: "relu" }), block("linear")] }), block("softmax")];
    expect(structure(blocks)).toEqual({ between: ["", "tanh", "layer · relu", "softmax", ""], arcs: [[1, 3]] });
  });
  it("has nested arcs, and none around nothing", () => {
    expect(structure([block("residual", { blocks: [block("residual", { blocks: [block("linear")] }), block("linear")] }), block("residual", { blocks: [block("activation")] })]).arcs).toEqual([[0, 1], [0, 2]]);
  });
});

describe("the columns", () => {
  it("are the inputs and the outputs of each layer; projections of shortcuts are none", () => {
    const { columns, places } = columnsOf([layer("0", 2, 3, [[1, 2]]), layer("1.shortcut", 3, 4), layer("2", 4, 1, [[1]])], []);
    expect(columns.map((one) => one.all)).toEqual([2, 3, 1]);
    expect(places).toEqual([0, 1, 2]);
  });
  it("say how many are left out", () => {
    const { columns, places } = columnsOf([layer("0", 2, 99, [[1]]), layer("1", 99, 99), layer("2", 99, 99), layer("3", 99, 1, [[1]])], []);
    expect(columns.map((one) => [one.all, one.shown, one.skipped])).toEqual([[2, 2, 0], [99, 8, 0], [1, 1, 2]]);
    expect(places).toEqual([0, 1, 4]);
  });
});

describe("the picture", () => {
  const draw = (layers: LayerSight[], blocks: Block[], hasShortcuts = true): HTMLElement => {
    const el = document.createElement("div");
    document.body.append(el);
    mountNetwork(el, { layers, blocks, hasShortcuts, label: "a network", heads: ["", "", "", ""] }, { language: "en", isDark: false, linked: new Linked() });
    return el;
  };
  it("has a stroke for each weight, thicker for a larger one, of another colour for a negative one", () => {
    const el = draw([layer("0", 2, 2, [[1, -0.5], [0, 0.25]])], []);
    const strokes = [...el.querySelectorAll("[data-weight]")];
    expect(strokes.map((one) => Number(one.getAttribute("data-weight")))).toEqual([1, -0.5, 0, 0.25]);
    const width = strokes.map((one) => Number(one.getAttribute("stroke-width")));
    expect(width[0]).toBeGreaterThan(width[1]!);
    expect(width[1]).toBeGreaterThan(width[3]!);
    expect(width[3]).toBeGreaterThan(width[2]!);
    expect(el.querySelectorAll("[data-neuron]")).toHaveLength(4);
  });
  it("has the arcs of shortcuts only where there are shortcuts", () => {
    const blocks = [block("residual", { blocks: [block("linear", { width: 2 })] })];
    const layers = [layer("0.branch.0", 2, 2, [[1, 1], [1, 1]]), layer("1", 2, 1, [[1, 1]])];
    expect(draw(layers, blocks).querySelectorAll("[data-shortcut]")).toHaveLength(1);
    expect(draw(layers, blocks, false).querySelectorAll("[data-shortcut]")).toHaveLength(0);
  });
  it("draws a weight that is no number in the colour of errors, and nothing of a network without layers", () => {
    expect(draw([layer("0", 1, 1, [[null]])], []).querySelector("[data-weight]")!.getAttribute("data-weight")).toBe("NaN");
    expect(draw([], []).querySelectorAll("line, circle")).toHaveLength(0);
  });
});
