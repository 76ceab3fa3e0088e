import type { Colour } from "../../core/colours";
import { css, ink, isLost, letter, parts, themed, weight, windScale } from "../../core/colours";
import type { Options } from "../../core/component";
import { say } from "../../core/language";
import { BOTTOM, stepTicks, TOP, type Layout } from "./layout";
import words from "./words.json";

export interface Brush {
  pen: CanvasRenderingContext2D;
  theme: (name: string) => string;
  font: (isBold?: boolean) => string;
  colour: (wind: number) => Colour;
}

export function prepared(canvas: HTMLCanvasElement, width: number, height: number, options: Options, host: Element): Brush {
  const ratio = Math.min(globalThis.devicePixelRatio || 1, 3);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d")!;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.textBaseline = "middle";
  const family = getComputedStyle(host).fontFamily || "sans-serif";
  const theme = (name: string): string => themed(host, name) || "#000000";
  const card = theme("card");
  return { pen, theme, font: (isBold = false) => `${isBold ? "700 " : ""}12px ${family}`, colour: windScale(options.isDark, parts(card.length === 7 ? card : "#ffffff")) };
}

export function paintMap(brush: Brush, layout: Layout, now: readonly number[], options: Options): void {
  const { pen } = brush;
  const cells = layout.cells();
  paintCells(brush, layout, cells);
  texture(brush, layout, cells, isLost, 8, hatch(brush));
  texture(brush, layout, cells, Number.isNaN, 6, dots(brush));
  for (const run of layout.letters(cells)) paintLetter(brush, layout, run);
  paintNames(brush, layout);
  paintEnds(brush, layout, now);
  pen.font = brush.font();
  pen.fillStyle = brush.theme("muted");
  paintSteps(brush, layout, options);
}

function paintCells(brush: Brush, layout: Layout, cells: Float64Array[]): void {
  const { pen, colour } = brush;
  const width = layout.plotWidth;
  const image = new ImageData(width, cells.length);
  cells.forEach((row, at) => {
    const line = 4 * (cells.length - 1 - at) * width;
    let before = NaN;
    let paint = colour(NaN);
    for (let x = 0; x < width; x += 1) {
      if (!Object.is(row[x], before)) {
        before = row[x]!;
        paint = colour(before);
      }
      image.data[line + 4 * x] = paint[0];
      image.data[line + 4 * x + 1] = paint[1];
      image.data[line + 4 * x + 2] = paint[2];
      image.data[line + 4 * x + 3] = 255;
    }
  });
  const small = document.createElement("canvas");
  small.width = width;
  small.height = cells.length;
  small.getContext("2d")!.putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, layout.left, TOP, width, cells.length * layout.rowHeight);
}

const hatch = (brush: Brush) => (tile: CanvasRenderingContext2D): void => {
  tile.beginPath();
  for (const shift of [-8, 0, 8]) {
    tile.moveTo(shift - 2, 10);
    tile.lineTo(shift + 10, -2);
  }
  tile.strokeStyle = brush.theme("nan");
  tile.lineWidth = 3;
  tile.stroke();
};

const dots = (brush: Brush) => (tile: CanvasRenderingContext2D): void => {
  tile.fillStyle = brush.theme("muted");
  tile.fillRect(2, 2, 1.5, 1.5);
};

function texture(brush: Brush, layout: Layout, cells: Float64Array[], isMeant: (wind: number) => boolean, size: number, drawTile: (tile: CanvasRenderingContext2D) => void): void {
  if (!cells.some((row) => row.some(isMeant))) return;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const tile = canvas.getContext("2d")!;
  tile.fillStyle = brush.theme("card");
  tile.fillRect(0, 0, size, size);
  drawTile(tile);
  brush.pen.fillStyle = brush.pen.createPattern(canvas, "repeat") ?? brush.theme("nan");
  cells.forEach((row, at) => {
    for (let x = 0; x < row.length; x += 1) {
      const start = x;
      while (x < row.length && isMeant(row[x]!)) x += 1;
      if (x > start) brush.pen.fillRect(layout.left + start, layout.rowTop(at), Math.max(x - start, 2), layout.rowHeight);
    }
  });
}

function paintLetter(brush: Brush, layout: Layout, run: ReturnType<Layout["letters"]>[number]): void {
  const { pen } = brush;
  const y = layout.rowTop(run.row + run.size - 1) + (run.size * layout.rowHeight) / 2;
  const x = layout.left + run.start + 8;
  pen.font = brush.font(true);
  pen.textAlign = "left";
  if (run.letter === "N") {
    const width = pen.measureText("NaN").width;
    pen.fillStyle = brush.theme("card");
    pen.fillRect(x - 4, y - 9, width + 8, 18);
    pen.fillStyle = brush.theme("nan");
    pen.fillText("NaN", x, y + 1);
    return;
  }
  const dark = ink(brush.colour(run.wind));
  pen.strokeStyle = dark === "#ffffff" ? "rgb(0 0 0 / 45%)" : "rgb(255 255 255 / 55%)";
  pen.lineWidth = 3;
  pen.strokeText(run.letter, x, y + 1);
  pen.fillStyle = dark;
  pen.fillText(run.letter, x, y + 1);
}

export function paintNames(brush: Brush, layout: Layout, only: number | null = null): void {
  const { pen } = brush;
  pen.textAlign = "right";
  for (const { row, size } of only === null ? layout.groups() : [{ row: only, size: 1 }]) {
    const y = layout.rowTop(row + size - 1) + (size * layout.rowHeight) / 2;
    pen.font = brush.font(only !== null);
    pen.fillStyle = brush.theme(only === null ? "ink" : "accent");
    pen.fillText(fitting(pen, layout.columns.names, layout.columns.names[row]!, layout.left - 10), layout.left - 8, y + 1);
  }
}

/** The end of a path tells more than its beginning. */
export function fitting(pen: CanvasRenderingContext2D, names: readonly string[], text: string, room: number): string {
  if (pen.measureText(text).width <= room) return text;
  const shared = sharedStart(names);
  let cut = text.startsWith(shared) ? text.slice(shared.length) : text;
  if (pen.measureText(`…${cut}`).width <= room) return `…${cut}`;
  while (cut.length > 1 && pen.measureText(`…${cut}`).width > room) cut = cut.slice(1);
  return `…${cut}`;
}

function sharedStart(names: readonly string[]): string {
  return names.reduce((one, other) => {
    let length = one.length;
    while (length && !(other.startsWith(one.slice(0, length)) && one[length - 1] === ".")) length -= 1;
    return one.slice(0, length);
  }, names[0] ?? "");
}

function paintEnds(brush: Brush, layout: Layout, now: readonly number[]): void {
  const { pen } = brush;
  for (const { row, size } of layout.groups()) {
    const y = layout.rowTop(row + size - 1) + (size * layout.rowHeight) / 2;
    const wind = now.slice(row, row + size).reduce((one, other) => (weight(other) > weight(one) ? other : one), NaN);
    const high = Math.min(18, Math.max(13, layout.rowHeight));
    const paint = brush.colour(wind);
    const x = layout.left + layout.plotWidth + 6;
    pen.fillStyle = isLost(wind) ? brush.theme("card") : css(paint);
    pen.beginPath();
    pen.roundRect(x, y - high / 2 + 0.5, 20, high - 1, 3);
    pen.fill();
    pen.fillStyle = isLost(wind) ? brush.theme("nan") : Number.isNaN(wind) ? brush.theme("muted") : ink(paint);
    pen.font = brush.font(true);
    pen.textAlign = "center";
    pen.fillText(letter(wind), x + 10, y + 1);
  }
}

function paintSteps(brush: Brush, layout: Layout, options: Options): void {
  const { pen } = brush;
  const { first, last } = layout.linked.shown;
  const end = layout.left + layout.plotWidth;
  for (const step of stepTicks(layout.linked, layout.plotWidth)) {
    const x = layout.x(step + 0.5);
    pen.fillRect(x - 0.5, layout.height - BOTTOM, 1, 4);
    pen.textAlign = step === first ? "left" : step === last ? "right" : "center";
    pen.fillText(step === first ? `${say(words.step, options.language)} ${step}` : String(step), step === first ? layout.left : Math.min(x, end), layout.height - 11);
  }
}

export function paintCross(brush: Brush, layout: Layout, cursor: { step: number; row: number | null }): void {
  const { pen, theme } = brush;
  const x = layout.x(cursor.step + 0.5);
  const foot = layout.rowTop(0) + layout.rowHeight;
  for (const [colour, width] of [[theme("card"), 4], [theme("ink"), 1.5]] as const) { // two inks, so that it shows on every colour
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.beginPath();
    pen.moveTo(x, TOP);
    pen.lineTo(x, foot);
    pen.stroke();
    if (cursor.row !== null && cursor.row < layout.columns.names.length) pen.strokeRect(layout.left, layout.rowTop(cursor.row), layout.plotWidth, layout.rowHeight);
  }
  if (cursor.row === null || cursor.row >= layout.columns.names.length) return;
  pen.fillStyle = theme("card");
  pen.fillRect(0, layout.rowTop(cursor.row) + layout.rowHeight / 2 - 9, layout.left - 2, 18);
  paintNames(brush, layout, cursor.row);
}
