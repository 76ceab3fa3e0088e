// A loss surface as data, its levels and its colours: what the picture from above and the one in three dimensions share.
import type { Colour } from "../core/colours";
import { parts } from "../core/colours";

export interface Walk {
  name: string;
  /** Coordinates on the plane and the loss there. */
  points: readonly (readonly [number, number, number])[];
}

export interface Relief {
  /** Coordinates of the columns. */
  x: readonly number[];
  /** Of the rows, the first at the bottom. */
  y: readonly number[];
  /** Losses, row after row; NaN where there is none. */
  heights: ArrayLike<number>;
  names: { x: string; y: string; z: string };
  walks: readonly Walk[];
  /** Heights by factors instead of differences. */
  isLog: boolean;
  /** The surface is cut off here: walls would hide the valley. */
  ceiling: number;
  /** What is to be seen, one sentence. */
  label: string;
  /** A place was pointed at. */
  onDrop?: (x: number, y: number) => void;
}

/** From a loss to its height between 0 and 1, and back. */
export interface Rise {
  of(loss: number): number;
  back(height: number): number;
  floor: number;
  ceiling: number;
}

export function rise({ heights, isLog, ceiling }: Relief): Rise {
  let low = Infinity;
  let high = -Infinity;
  for (let at = 0; at < heights.length; at += 1) {
    const loss = heights[at]!;
    if (!Number.isFinite(loss) || (isLog && loss <= 0)) continue;
    low = Math.min(low, loss);
    high = Math.max(high, Math.min(loss, ceiling));
  }
  if (!(high >= low)) [low, high] = [0, 1];
  const inner = isLog && low > 0 ? Math.log : (value: number): number => value;
  const outer = isLog && low > 0 ? Math.exp : (value: number): number => value;
  const [a, b] = [inner(low), inner(high)];
  const span = b - a || 1;
  return { of: (loss) => Math.min(1, Math.max(0, (inner(Math.max(loss, low)) - a) / span)), back: (height) => outer(a + height * span), floor: low, ceiling: high };
}

const LEVELS = 12;
/** Losses at which lines are drawn: equally far apart in height, closer together at the bottom. */
export const levels = (to: Rise): number[] => Array.from({ length: LEVELS }, (_, at) => to.back(((at + 0.5) / LEVELS) ** 1.7));

const GROUND = { light: [parts("#eef5f3"), parts("#6fa3c4"), parts("#1b2f5c")], dark: [parts("#1a2730"), parts("#2f6482"), parts("#b5d9ea")] } as const;

/** The colour of a height from 0 to 1, one hue from the valley up. */
export function ground(height: number, isDark: boolean): Colour {
  const stops = GROUND[isDark ? "dark" : "light"];
  const [from, to, share] = height < 0.5 ? [stops[0], stops[1], height * 2] : [stops[1], stops[2], height * 2 - 1];
  return from.map((part, at) => Math.round(part + (to[at]! - part) * share)) as unknown as Colour;
}

const INKS = { light: ["#c8401c", "#0b5c7a", "#7a3b8f", "#1b6e3c"], dark: ["#ff9c8f", "#74c7e3", "#d9b0ee", "#6fd39a"] } as const;
export const walkInk = (at: number, isDark: boolean): string => INKS[isDark ? "dark" : "light"][at % 4]!;
/** Walks differ in dash as well as in hue. */
export const DASHES = ["", "7 3", "2 3", "10 3 2 3"] as const;

export type Segment = readonly [number, number, number, number];

/** Lines of equal loss as segments in coordinates of the plane (marching squares, ambiguous cells by their middle). */
export function contour({ x, y, heights }: Pick<Relief, "x" | "y" | "heights">, level: number): Segment[] {
  const found: Segment[] = [];
  const columns = x.length;
  for (let row = 0; row + 1 < y.length; row += 1)
    for (let column = 0; column + 1 < columns; column += 1) {
      const at = row * columns + column;
      const corners = [heights[at]!, heights[at + 1]!, heights[at + columns + 1]!, heights[at + columns]!]; // round the cell from below on the left
      if (!corners.every(Number.isFinite)) continue;
      const places = [[x[column]!, y[row]!], [x[column + 1]!, y[row]!], [x[column + 1]!, y[row + 1]!], [x[column]!, y[row + 1]!]] as const;
      const cuts: [number, number][] = [];
      corners.forEach((one, side) => {
        const other = corners[(side + 1) % 4]!;
        if (one >= level === other >= level) return;
        const share = (level - one) / (other - one);
        const [from, to] = [places[side]!, places[(side + 1) % 4]!];
        cuts.push([from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])]);
      });
      if (cuts.length === 2) found.push([...cuts[0]!, ...cuts[1]!]);
      if (cuts.length === 4) {
        const isJoined = corners.reduce((sum, one) => sum + one, 0) / 4 >= level === corners[0]! >= level;
        const pairs = isJoined ? [[0, 1], [2, 3]] : [[3, 0], [1, 2]];
        for (const [one, other] of pairs) found.push([...cuts[one!]!, ...cuts[other!]!]);
      }
    }
  return found;
}
