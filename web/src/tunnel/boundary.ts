// The map of trainability: blue trains, red does not, darker is faster. Drawn from tiles, coarse ones below until the fine ones are there.
import { parts } from "../core/colours";
import { drawn } from "../core/component";
import { say } from "../core/language";
import type { TileGrid, TilePart } from "../wire";
import { singles } from "./columns";
import { axis, dress, paper, pixels, type Paper } from "./sheet";
import { keyOf, levelOf, rateAt, seen, WHOLE, zoomed, type Glass } from "./tiles";
import words from "./words.json";

export interface BoundaryData {
  grid: TileGrid;
  glass: Glass;
  tiles: ReadonlyMap<string, TilePart>;
  label: string;
  /** Another window is looked at; `isOver` when the hand has come to rest. */
  onGlass: (glass: Glass, isOver: boolean) => void;
  onBack: () => void;
}

const GAP = 0.2;
const TRAINS = [parts("#a9d3e2"), parts("#06222e")] as const; // slow, fast
const FAILS = [parts("#f6cbb5"), parts("#8c2c14")] as const;
const painted = new WeakMap<TilePart, string>();
const HEIGHT = 500;

/** Colour of a shade: below zero it trained, above it did not; the farther from zero, the faster. */
export function shadeColour(shade: number): readonly [number, number, number, number] {
  if (Number.isNaN(shade)) return [128, 128, 128, 90];
  const share = Math.min(1, Math.max(0, (Math.abs(shade) - GAP) / (1 - GAP)));
  const [near, far] = shade < 0 ? TRAINS : FAILS;
  const mixed = near.map((part, at) => Math.round(part + (far[at]! - part) * share));
  return [mixed[0]!, mixed[1]!, mixed[2]!, 255];
}

function imageOf(tile: TilePart, side: number): string {
  const known = painted.get(tile);
  if (known !== undefined) return known;
  const shades = singles(tile.shades);
  const made = pixels(side, side, (column, row) => shadeColour(shades[(side - 1 - row) * side + column]!));
  painted.set(tile, made);
  return made;
}

/** How wide the picture is where the place is `width` wide. */
export const sideOf = (width: number): number => Math.max(200, Math.min(width - 76, HEIGHT - 72));

export const mountBoundary = paper<BoundaryData>(HEIGHT, (sheet, data) => {
  const { svg, options } = sheet;
  const { grid, glass } = data;
  const side = sideOf(sheet.width);
  const frame = { ...sheet.frame, right: sheet.frame.left + side, bottom: sheet.frame.top + side };
  const name = `edge-${Math.random().toString(36).slice(2)}`;
  svg.append(drawn("defs", {}, drawn("clipPath", { id: name }, drawn("rect", { x: frame.left, y: frame.top, width: side, height: side }))));
  const group = drawn("g", { "clip-path": `url(#${name})` });
  svg.append(drawn("rect", { x: frame.left, y: frame.top, width: side, height: side, fill: sheet.ink.faint }), group);
  const level = levelOf(grid, glass, side);
  for (let z = 0; z <= level; z += 1) {
    if (z < level - 6 && z > 0) continue; // tiles that far below would be a smear of a few pixels
    for (const tile of seen(z, glass)) {
      const part = data.tiles.get(keyOf(tile));
      if (!part) continue;
      const wide = side / (glass.size * 2 ** z);
      const left = frame.left + ((tile[1] / 2 ** z - glass.x) / glass.size) * side;
      const top = frame.top + ((tile[2] / 2 ** z - (1 - glass.y - glass.size)) / glass.size) * side;
      if (wide > 1e5) continue;
      group.append(drawn("image", { x: left, y: top, width: wide + 0.5, height: wide + 0.5, href: imageOf(part, grid.side), preserveAspectRatio: "none", "image-rendering": "pixelated", "data-tile": keyOf(tile) }));
    }
  }
  const ends = (from: number): [number, number] => [rateAt(grid, from), rateAt(grid, from + glass.size)];
  dress({ ...sheet, frame }, axis(...ends(glass.x), frame.left, frame.right, true), axis(...ends(glass.y), frame.bottom, frame.top, true), { x: say(words.rate_first, options.language), y: say(words.rate_last, options.language) });
  handled({ ...sheet, frame }, side, data);
  return { label: data.label, table: tableOf(data, level, options.language) };
});

/** A few pixels of the finest tiles there are, each a training. */
function tableOf({ grid, glass, tiles }: BoundaryData, level: number, language: "en" | "ja"): { heads: string[]; rows: (string | number)[][] } {
  const rows: (string | number)[][] = [];
  const steps = 20;
  for (let up = 0; up < steps; up += 1)
    for (let across = 0; across < steps; across += 1) {
      const [x, y] = [glass.x + ((across + 0.5) / steps) * glass.size, glass.y + ((up + 0.5) / steps) * glass.size];
      for (let z = level; z >= 0; z -= 1) {
        const [column, row] = [Math.floor(x * 2 ** z), Math.floor((1 - y) * 2 ** z)];
        const part = tiles.get(keyOf([z, column, row]));
        if (!part) continue;
        const shade = singles(part.shades)[Math.floor(((1 - y) * 2 ** z - row) * grid.side) * grid.side + Math.floor((x * 2 ** z - column) * grid.side)]!;
        rows.push([rateAt(grid, x), rateAt(grid, y), say(shade < 0 ? words.trains : words.fails, language)]);
        break;
      }
    }
  return { heads: [say(words.rate_first, language), say(words.rate_last, language), say(words.outcome, language)], rows };
}

/** What a hand does lives longer than one drawing. */
interface Hand {
  touches: Map<number, readonly [number, number]>;
  rest: number;
}
const hands = new WeakMap<SVGSVGElement, Hand>();

/** Wheel (with Ctrl, or when the picture is chosen) and two fingers zoom, a drag takes a rectangle, arrows move, + − zoom, 0 shows all, Backspace goes back. */
function handled({ svg, ink, frame }: Paper, side: number, data: BoundaryData): void {
  const { grid, glass, onGlass } = data;
  const hand = hands.get(svg) ?? { touches: new Map(), rest: 0 };
  hands.set(svg, hand);
  const place = (event: MouseEvent): readonly [number, number] => {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / (box.width || 1);
    return [((event.clientX - box.left) * scale - frame.left) / side, 1 - ((event.clientY - box.top) * scale - frame.top) / side];
  };
  const go = (next: Glass): void => {
    clearTimeout(hand.rest);
    hand.rest = window.setTimeout(() => onGlass(next, true), 250);
    onGlass(next, false);
  };
  svg.style.touchAction = "pan-y";
  svg.style.cursor = "crosshair";
  svg.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey && svg.getRootNode() instanceof Document && document.activeElement !== svg) return;
    event.preventDefault();
    const [px, py] = place(event);
    go(zoomed(grid, glass, Math.exp(Math.max(-60, Math.min(60, event.deltaY)) / 200), px, py));
  };
  svg.onpointerdown = (event) => {
    if (event.button !== 0) return;
    hand.touches.set(event.pointerId, place(event));
    svg.setPointerCapture?.(event.pointerId);
    if (hand.touches.size === 1) rectangle(event.pointerId, place(event));
  };
  const lift = (event: PointerEvent): void => void hand.touches.delete(event.pointerId);
  svg.onpointerup = svg.onpointercancel = lift;
  svg.onpointermove = (event) => {
    const before = hand.touches.get(event.pointerId);
    if (!before || hand.touches.size !== 2) return;
    const now = place(event);
    const other = [...hand.touches].find(([id]) => id !== event.pointerId)![1];
    hand.touches.set(event.pointerId, now);
    const [was, is] = [Math.hypot(before[0] - other[0], before[1] - other[1]), Math.hypot(now[0] - other[0], now[1] - other[1])];
    if (was > 0.01 && is > 0.01) go(zoomed(grid, glass, was / is, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2));
  };
  function rectangle(id: number, begin: readonly [number, number]): void {
    const band = drawn("rect", { fill: ink.accent, "fill-opacity": 0.18, stroke: ink.accent, "stroke-width": 1.5 });
    let end = begin;
    const square = (): Glass => {
      const size = Math.max(Math.abs(end[0] - begin[0]), Math.abs(end[1] - begin[1]));
      return { x: end[0] < begin[0] ? begin[0] - size : begin[0], y: end[1] < begin[1] ? begin[1] - size : begin[1], size };
    };
    const pinch = svg.onpointermove;
    svg.onpointermove = (event) => {
      if (hand.touches.size > 1) { band.remove(); pinch?.call(svg, event); return; }
      if (event.pointerId !== id) return;
      end = place(event);
      const { x, y, size } = square();
      for (const [key, value] of Object.entries({ x: frame.left + x * side, y: frame.bottom - (y + size) * side, width: size * side, height: size * side })) band.setAttribute(key, String(value));
      if (size * side > 8 && !band.isConnected) svg.append(band);
    };
    svg.onpointerup = svg.onpointercancel = (event) => {
      const isDrag = event.type === "pointerup" && band.isConnected && hand.touches.size === 1;
      lift(event);
      band.remove();
      svg.onpointermove = pinch;
      svg.onpointerup = svg.onpointercancel = lift;
      const { x, y, size } = square();
      if (isDrag) onGlass({ x: glass.x + x * glass.size, y: glass.y + y * glass.size, size: size * glass.size }, true);
    };
  }
  svg.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = (event.shiftKey ? 0.5 : 0.1) * glass.size;
    const next: Glass | "back" | undefined = {
      ArrowLeft: { ...glass, x: glass.x - far }, ArrowRight: { ...glass, x: glass.x + far }, ArrowUp: { ...glass, y: glass.y + far }, ArrowDown: { ...glass, y: glass.y - far },
      "+": zoomed(grid, glass, 0.5), "=": zoomed(grid, glass, 0.5), "-": zoomed(grid, glass, 2), "0": WHOLE, Backspace: "back" as const,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (next === "back") data.onBack();
    else go(next);
  };
}
