// One run as the page holds it: a snapshot, and what came since. The report fills it once, the app keeps it up to date.
import { LossColumns, MapColumns } from "../core/columns";
import { Linked } from "../core/component";
import { numbers } from "../core/numbers";
import type { Envelope, EventFlag, Flow, Problem, RunDelta, RunLine, RunSnapshot, View } from "../wire";

const MOST_WAITING = 500; // deltas a paused page keeps; beyond, it asks for the whole again

export class RunStore {
  readonly linked = new Linked();
  run = $state.raw<RunLine | null>(null);
  view = $state.raw<View | null>(null);
  events = $state.raw<readonly EventFlag[]>([]);
  flow = $state.raw<Flow | null>(null);
  problem = $state.raw<Problem | null>(null);
  map = $state.raw<MapColumns | null>(null);
  loss = $state.raw<LossColumns | null>(null);
  /** A zoomed stretch, finer than the whole. */
  detail = $state.raw<{ map: MapColumns; loss: LossColumns; first: number; last: number } | null>(null);
  now = $state.raw<readonly number[]>([]);
  /** Grows with every change of the columns. */
  version = $state(0);
  lastStep = $state(0);
  /** When anything new was last seen, milliseconds. */
  sign = $state(Date.now());
  isPaused = $state(false);
  waiting = $state(0);
  #queue: RunDelta[] = [];
  /** Asks for a snapshot again. */
  again: (() => void) | null = null;

  get shownMap(): MapColumns | null {
    return this.detail?.map ?? this.map;
  }

  get shownLoss(): LossColumns | null {
    return this.detail?.loss ?? this.loss;
  }

  take(message: Envelope): void {
    if (message.kind === "problem") {
      this.problem = message.data as Problem;
      return;
    }
    this.problem = null;
    if (message.kind === "snapshot") this.begin(message.data as RunSnapshot);
    else if (this.isPaused) this.#wait(message.data as RunDelta);
    else this.#add(message.data as RunDelta);
  }

  begin(snapshot: RunSnapshot): void {
    this.run = snapshot.run;
    this.flow = snapshot.flow;
    this.events = snapshot.events;
    this.view = snapshot.view;
    this.map = new MapColumns(snapshot.view.map);
    this.loss = new LossColumns(snapshot.view.loss);
    this.now = numbers(snapshot.view.map.now);
    this.sign = Date.now() - 1000 * snapshot.age;
    this.#queue = [];
    this.waiting = 0;
    this.#measure(snapshot.view.last_step);
    this.version += 1;
  }

  pause(isPaused: boolean): void {
    this.isPaused = isPaused;
    if (isPaused) return;
    const queue = this.#queue;
    this.#queue = [];
    this.waiting = 0;
    if (queue.length > MOST_WAITING) this.again?.();
    else for (const delta of queue) this.#add(delta);
  }

  #wait(delta: RunDelta): void {
    this.waiting += delta.steps.length;
    if (this.#queue.length <= MOST_WAITING) this.#queue.push(delta);
    this.sign = Date.now();
  }

  #add(delta: RunDelta): void {
    if (!this.map || !this.loss || !this.view) return;
    if (delta.view) {
      this.view = { ...delta.view, map: { ...delta.view.map, steps: [] }, loss: delta.view.loss };
      this.now = numbers(delta.view.map.now);
    }
    if (delta.steps.length || delta.map_steps.length) {
      this.loss.append(delta.steps, delta.loss);
      this.map.append(delta.map_steps, delta.wind, delta.norm, delta.view?.map.names ?? this.view.map.names);
      this.#measure(Math.max(delta.steps.at(-1) ?? 0, delta.map_steps.at(-1) ?? 0, this.view.last_step));
      this.sign = Date.now();
      this.version += 1;
    }
    if (delta.run) this.run = delta.run;
    if (delta.events) this.events = delta.events;
    if (delta.flow) this.flow = delta.flow;
  }

  #measure(last: number): void {
    const first = Math.min(this.map?.steps[0] ?? Infinity, this.loss?.steps[0] ?? Infinity, Math.max(1, last));
    this.lastStep = Math.max(last, this.map?.steps.at(-1) ?? 0, this.loss?.steps.at(-1) ?? 0, first);
    this.linked.range.set({ first, last: this.lastStep });
  }
}
