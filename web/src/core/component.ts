import type { Language } from "./language";
import { Signal } from "./signal";

/** A table that says what a picture shows: for screen readers, and as CSV. */
export interface Table {
  heads: string[];
  rows: (string | number)[][];
}

/** What a picture looks like and shares with the others on its page. */
export interface Options {
  language: Language;
  isDark: boolean;
  linked: Linked;
}

/** What the pictures of one page share. */
export class Linked {
  /** The cross-hair: a step, and the row of a layer; `null` while nothing is pointed at. */
  readonly cursor = new Signal<{ step: number; row: number | null } | null>(null);
  /** The zoomed stretch of steps, `null` for all. */
  readonly zoom = new Signal<{ first: number; last: number } | null>(null);
  /** All steps there are. */
  readonly range = new Signal<{ first: number; last: number }>({ first: 1, last: 1 });
  /** CSS pixels left and right of the plotting area, the same in all pictures above one another. */
  readonly margins = new Signal<{ left: number; right: number }>({ left: 64, right: 30 });
  /** A layer was chosen, by its row. */
  readonly chosen = new Signal<number | null>(null);

  /** Where the cross-hair stood last: keys go on from there. */
  last: { step: number; row: number | null } | null = null;

  constructor() {
    this.cursor.on((cursor) => { if (cursor) this.last = cursor; });
  }

  get shown(): { first: number; last: number } {
    return this.zoom.value ?? this.range.value;
  }
}

/** What stands in the page after `mount`. */
export interface Mounted<Data> {
  /** Take new data, whole or in part; drawn at the next frame. */
  update(delta: Partial<Data>): void;
  destroy(): void;
  /** The picture as it stands. */
  toPNG(): Promise<Blob>;
  toSVG?(): string;
  /** A Python script that draws it again with matplotlib. */
  toPython?(): string;
  table(): Table;
}

/** A component: a pure function that draws `data` into `el` and never fetches. */
export type Mount<Data> = (el: HTMLElement, data: Data, options: Options) => Mounted<Data>;

/** Call `draw` at most once a frame. */
export function onceAFrame(draw: () => void): { ask(): void; cancel(): void } {
  let waiting = 0;
  return {
    ask(): void {
      if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; draw(); });
    },
    cancel(): void {
      if (waiting) cancelAnimationFrame(waiting);
      waiting = 0;
    },
  };
}

/** Call `then` whenever the width of `el` changes. */
export function onWidth(el: HTMLElement, then: () => void): () => void {
  let width = el.clientWidth;
  const observer = new ResizeObserver(() => {
    if (Math.abs(el.clientWidth - width) < 1) return;
    width = el.clientWidth;
    then();
  });
  observer.observe(el);
  return () => observer.disconnect();
}

/** A canvas as a PNG on an opaque ground. */
export function pngOf(ground: string, ...layers: HTMLCanvasElement[]): Promise<Blob> {
  const first = layers[0]!;
  const canvas = document.createElement("canvas");
  canvas.width = first.width;
  canvas.height = first.height;
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const layer of layers) pen.drawImage(layer, 0, 0);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/png"));
}

export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function drawn<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number> = {}, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}
