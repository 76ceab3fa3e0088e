// An activation and its slope, one beside the other: where it is steepest, and where no gradient passes any more.
import { drawn } from "../core/component";
import { say } from "../core/language";
import { number, numbers, short } from "../core/numbers";
import { line, text, trail } from "../learn/svg";
import { axis, dress, paper, type Axis, type Paper } from "../tunnel/sheet";
import type { CurveSeen, Sentence } from "../wire";
import words from "./words.json";

export interface CurveData {
  curve: CurveSeen["curve"];
  label: string;
}

const GAP = 64;
const NARROW = 560;

export const mountCurve = paper<CurveData>(260, (sheet, { curve, label }) => {
  const { svg, frame, options, width } = sheet;
  const x = numbers(curve.x);
  const [values, slopes] = [numbers(curve.values), numbers(curve.slopes)];
  const middle = frame.left + (frame.right - frame.left - GAP) / 2;
  const halves = [{ ...frame, right: middle }, { ...frame, left: middle + GAP }] as const;
  const both = [
    panel({ ...sheet, frame: halves[0] }, curve, x, values, words.curve_value, sheet.ink.accent),
    panel({ ...sheet, frame: halves[1] }, curve, x, slopes, words.curve_slope, sheet.ink.error),
  ] as const;
  const largest = number(curve.largest_slope);
  const top = both[1].y.at(largest);
  svg.append(line(halves[1].left, top, halves[1].right, top, sheet.ink.muted, { "stroke-dasharray": "5 4", "data-largest": largest }));
  svg.append(text(halves[1].right, top - 5, say(width < NARROW ? words.curve_most_short : words.curve_most, options.language, { most: short(largest) }), sheet.ink.muted, { "text-anchor": "end", "font-size": 12 }));
  const hand = drawn("g", {});
  svg.append(hand);
  const point = (place: number): void => {
    const at = x.reduce((best, one, index) => (Math.abs(one - place) < Math.abs(x[best]! - place) ? index : best), 0);
    hand.replaceChildren();
    for (const [side, ys] of [[0, values], [1, slopes]] as const) {
      const px = both[side].x.at(x[at]!);
      hand.append(line(px, halves[side].top, px, halves[side].bottom, sheet.ink.muted, { "stroke-width": 1 }));
      if (Number.isFinite(ys[at]!)) hand.append(drawn("circle", { cx: px, cy: both[side].y.at(ys[at]!), r: 4, fill: side ? sheet.ink.error : sheet.ink.accent }));
      hand.append(text(halves[side].left + 6, halves[side].top + 12, `x = ${short(x[at]!)}:  ${short(ys[at]!)}`, sheet.ink.ink, { "font-size": 12, "data-reading": side }));
    }
  };
  let held = 0;
  svg.onpointermove = (event) => {
    const box = svg.getBoundingClientRect();
    const px = ((event.clientX - box.left) / (box.width || 1)) * width;
    const own = both[px > middle + GAP / 2 ? 1 : 0].x;
    held = Math.min(own.high, Math.max(own.low, own.back(px)));
    point(held);
  };
  svg.onkeydown = (event) => {
    const by = { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    held = Math.min(x.at(-1)!, Math.max(x[0]!, held + by * (event.shiftKey ? 10 : 1)));
    point(held);
  };
  const every = 8;
  return { label, table: { heads: ["x", say(words.curve_value, options.language), say(words.curve_slope, options.language)], rows: x.flatMap((place, at) => (at % every ? [] : [[Number(place.toFixed(4)), values[at]!, slopes[at]!]])) } };
});

function panel(sheet: Paper, curve: CurveData["curve"], xs: readonly number[], ys: readonly number[], name: Sentence, ink: string): { x: Axis; y: Axis } {
  const { svg, frame, options } = sheet;
  const seen = [...ys.filter(Number.isFinite), 0, ...(name === words.curve_slope ? [number(curve.largest_slope)] : [])];
  const [low, high] = [Math.min(...seen), Math.max(...seen)];
  const room = 0.12 * (high - low || 1);
  const x = axis(xs[0]!, xs.at(-1)!, frame.left, frame.right);
  const y = axis(low - room, high + 1.6 * room, frame.bottom, frame.top);
  for (const [from, to] of curve.saturated) {
    const [left, right] = [Math.max(number(from), x.low), Math.min(number(to), x.high)];
    if (right > left) svg.append(drawn("rect", { x: x.at(left), y: frame.top, width: x.at(right) - x.at(left), height: frame.bottom - frame.top, fill: sheet.ink.muted, "fill-opacity": 0.16, "data-saturated": `${left},${right}` }));
  }
  svg.append(line(x.at(0), frame.top, x.at(0), frame.bottom, sheet.ink.line), line(frame.left, y.at(0), frame.right, y.at(0), sheet.ink.line));
  svg.append(trail(xs.map((place, at) => [x.at(place), y.at(ys[at]!)] as const), ink, { "stroke-width": 2.2 }));
  dress(sheet, x, y, { x: "x", y: say(name, options.language) });
  return { x, y };
}
