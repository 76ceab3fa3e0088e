import { describe, expect, it } from "vitest";
import { fits, made, moved } from "../../src/playground/spec";
import type { Block } from "../../src/wire";

const linear = (width: number): Block => ({ ...made("linear"), width });
const residual = (...blocks: Block[]): Block => ({ ...made("residual"), blocks });
/** A network as text: widths, brackets around what stands inside a residual block. */
const text = (blocks: readonly Block[]): string => blocks.map((one) => (one.kind === "residual" ? `[${text(one.blocks)}]` : String(one.width))).join(" ");
const network = [linear(1), residual(linear(2), linear(3)), linear(4)];

describe("blocks are moved", () => {
  it.each([
    [[0], [3], "[2 3] 4 1"],
    [[2], [0], "4 1 [2 3]"],
    [[0], [1, 1], "[2 1 3] 4"],
    [[1, 0], [0], "2 1 [3] 4"],
    [[1, 1], [1, 0], "1 [3 2] 4"],
    [[1], [3], "1 4 [2 3]"],
    [[1], [1], "1 [2 3] 4"],
  ])("from %j to before %j", (from, to, expected) => expect(text(moved(network, from, to))).toBe(expected));
  it("and nothing of them changes", () => {
    const before = JSON.stringify(network);
    moved(network, [0], [1, 0]);
    expect(JSON.stringify(network)).toBe(before);
  });
  it("but not into themselves, nor deeper than the server takes", () => {
    expect(fits(network, [1], [1, 0], 2)).toBe(false);
    expect(fits(network, [0], [1, 0], 2)).toBe(true);
    const nested = [residual(residual(linear(1))), residual(linear(2))];
    expect(fits(nested, [1], [0, 0, 0], 2)).toBe(false);
    expect(fits(nested, [1], [0, 0], 2)).toBe(true);
    expect(fits(nested, [0], [1, 0], 2)).toBe(false);
  });
});
