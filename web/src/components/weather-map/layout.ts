import type { MapColumns } from "../../core/columns";
import { letter, weight } from "../../core/colours";
import type { Linked } from "../../core/component";
import { placeOf, ticks } from "../../core/numbers";
import { PALETTE } from "../../wire";

export const TOP = 6;
export const BOTTOM = 26;
const BLOCK = 40; // CSS pixels of the coarse grid on which letters stand

/** Where things stand in the map, in CSS pixels. */
export class Layout {
  readonly rowHeight: number;
  readonly plotWidth: number;
  readonly height: number;

  constructor(readonly columns: MapColumns, readonly linked: Linked, readonly width: number, tall: number) {
    const rows = Math.max(1, columns.names.length);
    this.rowHeight = Math.max(5, Math.min(28, rows < 4 ? 34 : Math.floor(tall / rows)));
    const { left, right } = linked.margins.value;
    this.plotWidth = Math.max(20, Math.floor(width - left - right));
    this.height = TOP + rows * this.rowHeight + BOTTOM;
  }

  get left(): number {
    return this.linked.margins.value.left;
  }

  /** The input layer at the bottom. */
  rowTop(row: number): number {
    return TOP + (this.columns.names.length - 1 - row) * this.rowHeight;
  }

  rowAt(y: number): number {
    return Math.min(this.columns.names.length - 1, Math.max(0, this.columns.names.length - 1 - Math.floor((y - TOP) / this.rowHeight)));
  }

  x(step: number): number {
    const { first, last } = this.linked.shown;
    return this.left + ((step - first) / (last + 1 - first)) * this.plotWidth;
  }

  stepAt(x: number): number {
    const { first, last } = this.linked.shown;
    return Math.min(last, Math.max(first, Math.floor(first + ((x - this.left) / this.plotWidth) * (last + 1 - first))));
  }

  /** One value a row and pixel: the most remarkable of the columns that fall into it. */
  cells(): Float64Array[] {
    const { first, last } = this.linked.shown;
    const { steps, wind } = this.columns;
    const width = this.plotWidth;
    const from = new Int32Array(width);
    const to = new Int32Array(width);
    for (let x = 0; x < width; x += 1) {
      from[x] = placeOf(steps, first + (x / width) * (last + 1 - first));
      to[x] = placeOf(steps, first + ((x + 1) / width) * (last + 1 - first) - 1e-9);
    }
    return wind.map((row) => {
      const found = new Float64Array(width);
      for (let x = 0; x < width; x += 1) {
        let value = from[x]! < 0 ? NaN : row[from[x]!]!;
        for (let at = from[x]! + 1; at <= to[x]!; at += 1) if (weight(row[at]!) > weight(value)) value = row[at]!;
        found[x] = value;
      }
      return found;
    });
  }

  /** Rows shared out evenly among the labels there is room for. */
  groups(): { row: number; size: number }[] {
    const rows = this.columns.names.length;
    const count = Math.max(1, Math.min(rows, Math.floor((rows * this.rowHeight) / 15)));
    const bounds = Array.from({ length: count + 1 }, (_, at) => Math.round((at * rows) / count));
    return bounds.slice(0, -1).map((row, at) => ({ row, size: bounds[at + 1]! - row }));
  }

  /** Where a new letter begins, coarsely, so that a layer on the border does not flicker; named once, at its top left. */
  letters(cells: Float64Array[]): { row: number; size: number; letter: string; wind: number; start: number }[] {
    const found: { row: number; size: number; letter: string; wind: number; start: number }[] = [];
    for (const { row, size } of this.groups()) {
      let run: (typeof found)[number] | null = null;
      for (let x = 0; x + BLOCK / 2 < this.plotWidth; x += BLOCK) {
        const wind = typical(cells.slice(row, row + size), x);
        if (run && (run.letter === letter(wind) || PALETTE.healthy.some((border) => Math.abs(wind - border) < 0.3))) continue;
        const inside = cells[row]!.slice(x, x + BLOCK).findIndex((one) => letter(one) === letter(wind));
        run = { row, size, letter: letter(wind), wind, start: x + Math.max(0, inside) };
        found.push(run);
      }
    }
    const isBelow = (run: (typeof found)[number]): boolean =>
      found.some((other) => other.row === run.row + run.size && other.letter === run.letter && Math.abs(other.start - run.start) <= BLOCK);
    return found.filter((run) => run.letter !== "–" && !isBelow(run));
  }
}

function typical(rows: Float64Array[], start: number): number {
  const winds = rows.flatMap((row) => [...row.slice(start, start + BLOCK)]);
  const sorted = winds.filter((wind) => !Number.isNaN(wind)).sort((one, other) => one - other);
  return sorted.length * 2 < winds.length ? NaN : sorted[sorted.length >> 1]!;
}

/** Whole steps to write under an axis; the first and the last among them. */
export function stepTicks(linked: Linked, width: number): number[] {
  const { first, last } = linked.shown;
  const across = (step: number): number => ((step - first) / (last + 1 - first)) * width;
  const wanted = ticks(first, last, Math.max(2, width / 110)).filter((step) => Number.isInteger(step));
  return [...new Set([first, ...wanted.filter((step) => across(step) > 50 && width - across(step) > 50), last])];
}
