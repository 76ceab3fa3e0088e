// The map of trainability as a pyramid of tiles: which are seen, which are asked for next, and the window as it is moved.
// Places are shares of the whole window, in factors: (0, 0) is its lower left corner, (1, 1) its upper right one.
import type { TileGrid } from "../wire";

/** A window, always as wide as it is high. */
export interface Glass {
  x: number;
  y: number;
  size: number;
}

export type Tile = readonly [z: number, x: number, y: number];

export const WHOLE: Glass = { x: 0, y: 0, size: 1 };
/** Tiles are drawn between this many and twice as many pixels wide. */
const LEAST_WIDE = 96;
export const keyOf = ([z, x, y]: Tile): string => `${z}/${x}/${y}`;

/** The learning rate at a share of the whole. */
export const rateAt = (grid: TileGrid, share: number): number => grid.low * (grid.high / grid.low) ** share;
export const shareOf = (grid: TileGrid, rate: number): number => Math.log(rate / grid.low) / Math.log(grid.high / grid.low);

const within = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** The window kept inside the whole, and no smaller than the last level shows. */
export function held(grid: TileGrid, { x, y, size }: Glass): Glass {
  const wide = within(size, 4 * 2 ** -grid.deepest, 1);
  return { x: within(x, 0, 1 - wide), y: within(y, 0, 1 - wide), size: wide };
}

/** The window after a zoom by a factor; what lies at (px, py), in shares of the window, stays there. */
export function zoomed(grid: TileGrid, glass: Glass, factor: number, px = 0.5, py = 0.5): Glass {
  const size = within(glass.size * factor, 4 * 2 ** -grid.deepest, 1);
  return held(grid, { x: glass.x + px * (glass.size - size), y: glass.y + py * (glass.size - size), size });
}

/** The level whose tiles are as large as they should be in a picture so many pixels wide. */
export const levelOf = (grid: TileGrid, { size }: Glass, pixels: number): number => within(Math.floor(Math.log2(pixels / (LEAST_WIDE * size))), 0, grid.deepest);

/** The tiles of a level that are seen, from the middle of the window outwards. */
export function seen(z: number, { x, y, size }: Glass): Tile[] {
  const count = 2 ** z;
  const range = (from: number, to: number): number[] => {
    const [first, last] = [within(Math.floor(from * count), 0, count - 1), within(Math.ceil(to * count) - 1, 0, count - 1)];
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  };
  const middle = [(x + size / 2) * count - 0.5, (1 - y - size / 2) * count - 0.5] as const;
  const far = ([, column, row]: Tile): number => Math.hypot(column - middle[0], row - middle[1]);
  return range(x, x + size)
    .flatMap((column) => range(1 - y - size, 1 - y).map((row): Tile => [z, column, row]))
    .sort((one, other) => far(one) - far(other));
}

/** What is missing for a window, coarse tiles first: the whole, two levels on the way, and the level itself. */
export function missing(grid: TileGrid, glass: Glass, pixels: number, has: (tile: Tile) => boolean): Tile[] {
  const level = levelOf(grid, glass, pixels);
  const levels = [...new Set([0, level - 2, level - 1, level].filter((z) => z >= 0))];
  return levels.flatMap((z) => seen(z, glass)).filter((tile) => !has(tile));
}
