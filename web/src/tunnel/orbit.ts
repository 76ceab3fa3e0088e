// One orbit: its series, return map, delay embedding, spectrum; the growth of a difference, and how the exponents settled.
import { drawn } from "../core/component";
import { say } from "../core/language";
import { number, numbers, short } from "../core/numbers";
import { line, text, trail, type Shown } from "../learn/svg";
import type { OrbitPart, Sentence } from "../wire";
import { axis, dress, paper, type Axis, type Paper } from "./sheet";
import words from "./words.json";

export const VIEWS = ["series", "return", "delay", "spectrum", "growth", "convergence"] as const;
export type View = (typeof VIEWS)[number];

export interface OrbitData {
  orbit: OrbitPart | null;
  view: View;
  observable: Sentence;
  label: string;
}

type Drawn = Shown["table"];
type Range = readonly [number, number];

const around = (values: readonly number[], share = 0.05): Range => {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return [0, 1];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const pad = (high - low) * share || Math.max(Math.abs(low), 1) * 1e-6;
  return [low - pad, high + pad];
};

function dots(sheet: Paper, x: Axis, y: Axis, points: readonly (readonly [number, number])[]): void {
  const d = points.filter(([u, v]) => Number.isFinite(u) && Number.isFinite(v)).map(([u, v]) => `M${x.at(u).toFixed(1)} ${y.at(v).toFixed(1)}h0`).join("");
  sheet.svg.append(drawn("path", { d, stroke: sheet.ink.accent, "stroke-width": 3.2, "stroke-linecap": "round", "stroke-opacity": 0.75, fill: "none" }));
}

function series(sheet: Paper, orbit: OrbitPart, name: string): Drawn {
  const { language } = sheet.options;
  const shown = numbers(orbit.observed).slice(0, Math.max(60, Math.round((sheet.frame.right - sheet.frame.left) / 4)));
  const x = axis(orbit.first, orbit.first + shown.length - 1, sheet.frame.left, sheet.frame.right);
  const y = axis(...around(shown), sheet.frame.bottom, sheet.frame.top);
  sheet.svg.append(trail(shown.map((value, at) => [x.at(orbit.first + at), y.at(value)] as const), sheet.ink.accent, { "stroke-width": 1.5, "stroke-opacity": 0.5 }));
  dots(sheet, x, y, shown.map((value, at) => [orbit.first + at, value] as const));
  dress(sheet, x, y, { x: say(words.step, language), y: name });
  return { heads: [say(words.step, language), name], rows: numbers(orbit.observed).map((value, at) => [orbit.first + at, Number.isFinite(value) ? value : "NaN"]) };
}

function returned(sheet: Paper, orbit: OrbitPart, name: string, delay: number): Drawn {
  const observed = numbers(orbit.observed);
  const range = around(observed);
  const side = Math.min(sheet.frame.right - sheet.frame.left, (sheet.frame.bottom - sheet.frame.top) * 1.6);
  const x = axis(...range, sheet.frame.left, sheet.frame.left + side);
  const y = axis(...range, sheet.frame.bottom, sheet.frame.top);
  sheet.svg.append(line(x.at(range[0]), y.at(range[0]), x.at(range[1]), y.at(range[1]), sheet.ink.muted, { "stroke-dasharray": "5 4" }));
  const points = observed.slice(0, -delay).map((value, at) => [value, observed[at + delay]!] as const);
  dots(sheet, x, y, points);
  dress({ ...sheet, frame: { ...sheet.frame, right: sheet.frame.left + side } }, x, y, { x: `${name}, t`, y: `${name}, t + ${delay}` });
  return { heads: ["x(t)", `x(t + ${delay})`], rows: points.map(([u, v]) => [u, v]) };
}

function spectrum(sheet: Paper, orbit: OrbitPart): Drawn {
  const { language } = sheet.options;
  const [frequencies, power] = [numbers(orbit.frequencies), numbers(orbit.power)];
  const most = Math.max(...power, 1e-12);
  const x = axis(0, 0.5, sheet.frame.left, sheet.frame.right);
  const y = axis(most * 1e-10, most * 2, sheet.frame.bottom, sheet.frame.top, true);
  sheet.svg.append(trail(frequencies.map((value, at) => [x.at(value), y.at(Math.max(power[at]!, y.low))] as const), sheet.ink.accent));
  dress(sheet, x, y, { x: say(words.frequency, language), y: say(words.power, language) });
  return { heads: [say(words.frequency, language), say(words.power, language)], rows: frequencies.map((value, at) => [value, power[at]!]) };
}

function growth(sheet: Paper, orbit: OrbitPart): Drawn {
  const { language } = sheet.options;
  const distances = numbers(orbit.distances);
  const [begin, end] = [orbit.window[0] ?? 0, orbit.window[1] ?? 0];
  const shown = distances.slice(0, Math.max(40, Math.min(distances.length, end ? end * 3 : distances.length)));
  const x = axis(0, Math.max(1, shown.length - 1), sheet.frame.left, sheet.frame.right);
  const y = axis(...around(shown), sheet.frame.bottom, sheet.frame.top);
  if (end > begin) {
    sheet.svg.append(drawn("rect", { x: x.at(begin), y: sheet.frame.top, width: x.at(Math.min(end, x.high)) - x.at(begin), height: sheet.frame.bottom - sheet.frame.top, fill: sheet.ink.warning, "fill-opacity": 0.14, "data-window": end }));
    const slope = number(orbit.slope);
    const inside = distances.slice(begin, end);
    const middle = inside.reduce((sum, value) => sum + value, 0) / inside.length - (slope * (inside.length - 1)) / 2;
    sheet.svg.append(line(x.at(begin), y.at(middle), x.at(end), y.at(middle + slope * (end - begin)), sheet.ink.error, { "stroke-width": 2.5, "stroke-dasharray": "7 4" }));
    sheet.svg.append(text(sheet.frame.right - 6, sheet.frame.bottom - 10, say(words.fitted, language, { slope: short(slope), from: begin, to: end }), sheet.ink.ink, { "font-size": 12, "text-anchor": "end", "paint-order": "stroke", stroke: sheet.ink.card, "stroke-width": 4 }));
  }
  sheet.svg.append(trail(shown.map((value, at) => [x.at(at), y.at(value)] as const), sheet.ink.accent));
  dress(sheet, x, y, { x: say(words.step, language), y: "ln |δ(t)|" });
  return { heads: [say(words.step, language), "ln |δ(t)|"], rows: distances.map((value, at) => [at, Number.isFinite(value) ? value : "NaN"]) };
}

function convergence(sheet: Paper, orbit: OrbitPart): Drawn {
  const { language } = sheet.options;
  const { svg, ink, frame } = sheet;
  const rows = orbit.convergence.map(numbers);
  const last = orbit.counts.at(-1) ?? 1;
  const [exponents, errors] = [numbers(orbit.exponents), numbers(orbit.errors)];
  const late = rows.flatMap((row) => row.slice(Math.floor(row.length / 12)));
  const [low, high] = around([...late, 0], 0.12);
  const x = axis(0, last, frame.left, frame.right - 70);
  const y = axis(low, high, frame.bottom, frame.top);
  svg.append(line(frame.left, y.at(0), frame.right, y.at(0), ink.ink, { "stroke-width": 3 }));
  rows.forEach((row, at) => {
    const held = (value: number): number => y.at(Math.min(high, Math.max(low, value)));
    const [from, to] = [held(exponents[at]! + 2 * errors[at]!), held(exponents[at]! - 2 * errors[at]!)];
    if (Number.isFinite(to - from)) svg.append(drawn("rect", { x: frame.left, y: from, width: x.at(last) - frame.left, height: Math.max(1, to - from), fill: ink.accent, "fill-opacity": 0.14 }));
    svg.append(trail(row.map((value, place) => [x.at(orbit.counts[place]!), Number.isFinite(value) ? held(value) : NaN] as const), at ? ink.muted : ink.accent, { "stroke-dasharray": at ? ["6 4", "2 3", "9 3 2 3"][(at - 1) % 3]! : "none" }));
    if (Number.isFinite(exponents[at]!)) svg.append(text(x.at(last) + 6, held(exponents[at]!) + 4, `λ${"₁₂₃₄"[at] ?? ""} ${short(exponents[at]!)}`, ink.ink, { "font-size": 12 }));
  });
  dress(sheet, x, y, { x: say(words.counted, language), y: say(words.exponent, language) });
  return { heads: [say(words.counted, language), ...rows.map((_, at) => `λ${at + 1}`)], rows: orbit.counts.map((count, at) => [count, ...rows.map((row) => row[at]!)]) };
}

export const mountOrbit = paper<OrbitData>(320, (sheet, { orbit, view, observable, label }) => {
  if (!orbit) return { label, table: { heads: [], rows: [] } };
  const name = say(observable, sheet.options.language);
  const made = { series: () => series(sheet, orbit, name), return: () => returned(sheet, orbit, name, 1), delay: () => returned(sheet, orbit, name, 2), spectrum: () => spectrum(sheet, orbit), growth: () => growth(sheet, orbit), convergence: () => convergence(sheet, orbit) };
  return { label, table: made[view]() };
});
