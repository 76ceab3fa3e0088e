// The map of trainability: blue trains, red does not, darker is faster.
import { parts } from "../core/colours";
import { drawn } from "../core/component";
import { say } from "../core/language";
import { numbers } from "../core/numbers";
import type { TrainabilityPart } from "../wire";
import { singles } from "./columns";
import { axis, dress, paper, pixels, steered, type Steered } from "./sheet";
import words from "./words.json";

export interface BoundaryData {
  part: TrainabilityPart | null;
  /** The window that is asked for; the part may still be of the one before. */
  x: readonly [number, number];
  y: readonly [number, number];
  label: string;
  to: Steered;
}

const GAP = 0.2;
const TRAINS = [parts("#a9d3e2"), parts("#06222e")] as const; // slow, fast
const FAILS = [parts("#f6cbb5"), parts("#8c2c14")] as const;
const painted = new WeakMap<TrainabilityPart, string>();

/** Colour of a shade: below zero it trained, above it did not; the farther from zero, the faster. */
export function shadeColour(shade: number): readonly [number, number, number, number] {
  if (Number.isNaN(shade)) return [128, 128, 128, 90];
  const share = Math.min(1, Math.max(0, (Math.abs(shade) - GAP) / (1 - GAP)));
  const [near, far] = shade < 0 ? TRAINS : FAILS;
  const mixed = near.map((part, at) => Math.round(part + (far[at]! - part) * share));
  return [mixed[0]!, mixed[1]!, mixed[2]!, 255];
}

export const mountBoundary = paper<BoundaryData>(460, (sheet, { part, x: across, y: upwards, label, to }) => {
  if (!part) return { label, table: { heads: [], rows: [] } };
  const { language } = sheet.options;
  const [xs, ys] = [numbers(part.x), numbers(part.y)];
  const side = Math.min(sheet.frame.right - sheet.frame.left, (sheet.frame.bottom - sheet.frame.top) * 1.5);
  const frame = { ...sheet.frame, right: sheet.frame.left + side };
  const own = { ...sheet, frame };
  const x = axis(...across, frame.left, frame.right, true);
  const y = axis(...upwards, frame.bottom, frame.top, true);
  let image = painted.get(part);
  const shades = singles(part.shades);
  if (image === undefined) {
    image = pixels(xs.length, ys.length, (column, row) => shadeColour(shades[row * xs.length + column]!));
    painted.set(part, image);
  }
  const [left, right, foot, head] = [x.at(xs[0]!), x.at(xs.at(-1)!), y.at(ys[0]!), y.at(ys.at(-1)!)];
  const clip = drawn("clipPath", { id: "edge-clip" }, drawn("rect", { x: frame.left, y: frame.top, width: side, height: frame.bottom - frame.top }));
  sheet.svg.append(drawn("defs", {}, clip));
  sheet.svg.append(drawn("image", { "clip-path": "url(#edge-clip)", x: left, y: head, width: right - left, height: foot - head, href: image, preserveAspectRatio: "none", "image-rendering": "pixelated" }));
  dress(own, x, y, { x: say(words.rate_first, language), y: say(words.rate_last, language) });
  steered(own, x, y, to);
  const every = Math.max(1, Math.floor(xs.length / 24));
  const rows = ys.flatMap((up, row) => (row % every ? [] : xs.flatMap((rate, column) => (column % every ? [] : [[rate, up, say(shades[row * xs.length + column]! < 0 ? words.trains : words.fails, language)]]))));
  return { label, table: { heads: [say(words.rate_first, language), say(words.rate_last, language), say(words.outcome, language)], rows } };
});
