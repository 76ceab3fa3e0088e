import type { Envelope } from "../wire";
import { Signal } from "./signal";

const SILENCE = 12_000; // milliseconds without even a ping after which the line counts as dead
const HIDDEN = 5_000; // milliseconds a hidden tab keeps its line: a browser has six of them for one server
const AGAIN = 1_000;

export type Line = "waiting" | "open" | "lost" | "resting";

/** The one stream of this tab. Topics are followed and left at will; what is missed is caught up. */
export class Live {
  readonly line = new Signal<Line>("waiting");
  readonly #handlers = new Map<string, Set<(message: Envelope) => void>>();
  readonly #positions = new Map<string, string>();
  /** Topics that wait for their whole: what the line of before still says of them is of a time before. */
  readonly #fresh = new Set<string>();
  readonly #make: (url: string) => EventSource;
  #source: EventSource | null = null;
  #planned = 0;
  #heard = Date.now();
  #hide = 0;

  constructor(make: (url: string) => EventSource = (url) => new EventSource(url)) {
    this.#make = make;
    setInterval(() => this.#watch(), 3_000);
    document.addEventListener("visibilitychange", () => this.#onVisibility());
    addEventListener("pagehide", () => this.#source?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.#plan(); });
  }

  /** Follow a topic; returns how to leave it. The first message is a snapshot. */
  follow(topic: string, handler: (message: Envelope) => void): () => void {
    const known = this.#handlers.get(topic) ?? new Set();
    this.#handlers.set(topic, known);
    known.add(handler);
    this.#positions.delete(topic); // who comes late needs the whole
    this.#fresh.add(topic);
    this.#plan();
    return () => {
      known.delete(handler);
      if (!known.size) {
        this.#handlers.delete(topic);
        this.#positions.delete(topic);
        this.#fresh.delete(topic);
        this.#plan();
      }
    };
  }

  #plan(wait = 0): void {
    clearTimeout(this.#planned);
    this.#planned = window.setTimeout(() => this.#open(), wait);
  }

  #open(): void {
    this.#source?.close();
    this.#source = null;
    if (!this.#handlers.size || document.hidden) return;
    this.#fresh.clear();
    const query = new URLSearchParams();
    for (const topic of this.#handlers.keys()) query.append("topic", topic);
    const after = [...this.#positions].map(([topic, position]) => `${topic}@${position}`).join(",");
    if (after) query.set("after", after);
    const source = this.#make(`/api/stream?${query}`);
    this.#source = source;
    this.#heard = Date.now();
    source.onopen = () => this.#hear();
    source.addEventListener("ping", () => this.#hear());
    source.onmessage = (event: MessageEvent<string>) => this.#take(event.data);
    source.onerror = () => {
      this.line.set("lost");
      source.close(); // reopened here, with the positions we know
      if (this.#source === source) this.#plan(AGAIN);
    };
  }

  #hear(): void {
    this.#heard = Date.now();
    this.line.set("open");
  }

  #take(text: string): void {
    this.#hear();
    const message = JSON.parse(text) as Envelope;
    if (this.#fresh.has(message.topic)) return;
    if (message.kind !== "problem") this.#positions.set(message.topic, message.position);
    for (const handler of this.#handlers.get(message.topic) ?? []) handler(message);
  }

  #watch(): void {
    if (this.#source && Date.now() - this.#heard > SILENCE) {
      this.line.set("lost");
      this.#plan();
    }
  }

  #onVisibility(): void {
    clearTimeout(this.#hide);
    if (document.hidden) {
      this.#hide = window.setTimeout(() => { this.#source?.close(); this.#source = null; this.line.set("resting"); }, HIDDEN);
    } else if (!this.#source) this.#plan();
  }
}
