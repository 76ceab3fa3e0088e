// The tunnel of one page: what is computed one after the other on the server, and all that was found.
import { get, post, Refused } from "../core/api";
import { Linked } from "../core/component";
import { number } from "../core/numbers";
import type { CellsPart, ChangePoint, JobPart, JobState, NamePart, OrbitPart, Sentence, TilePart, TrainabilityPart, TunnelWish } from "../wire";
import { merged, type Column } from "./columns";
import { keyOf, WHOLE, type Glass } from "./tiles";

export type Kind = JobState["kind"];
export type Wish = Omit<TunnelWish, "client">;
type Window = { low: number; high: number; y: readonly [number, number] | null };

/** One picture of the diagram, kept for going back. */
export interface View extends Window {
  columns: readonly Column[];
  changes: readonly ChangePoint[];
  threshold: number;
  how: string;
  /** The columns are those of the picture before, shown until the first new ones are there. */
  isPreview: boolean;
}

const EVERY = 250; // milliseconds between two looks
const AGAIN = 1500; // after the server was not heard
const KEPT = 20; // pictures to go back to

const client = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const pause = (time: number): Promise<void> => new Promise((resolve) => { setTimeout(resolve, time); });

export class Tunnel {
  running = $state.raw<JobState | null>(null);
  queue = $state.raw<readonly Wish[]>([]);
  problems = $state.raw<Partial<Record<Kind, Sentence>>>({});
  /** Kinds whose last computation was cancelled: what is there is a part. */
  partial = $state.raw<Partial<Record<Kind, boolean>>>({});
  isLost = $state(false);
  view = $state.raw<View>({ low: 0, high: 1, y: null, columns: [], changes: [], threshold: NaN, how: "", isPreview: true });
  past = $state.raw<readonly View[]>([]);
  cells = $state.raw<readonly CellsPart[]>([]);
  orbit = $state.raw<OrbitPart | null>(null);
  /** What is computed just now. */
  busy = $state.raw<Kind | null>(null);
  /** Regimes named with all evidence, of the diagram that is seen. */
  named = $state.raw<readonly NamePart[]>([]);
  /** The window of the map of trainability, those before it, and all tiles there are. */
  glass = $state.raw<Glass>(WHOLE);
  glasses = $state.raw<readonly Glass[]>([]);
  tiles = $state.raw<ReadonlyMap<string, TilePart>>(new Map());
  /** The dimension of the edge, and the window it was measured in. */
  measured = $state.raw<{ glass: Glass; part: TrainabilityPart } | null>(null);
  #measuring: Glass = WHOLE;
  #rested: Glass = WHOLE;
  readonly linked = new Linked();
  #isWorking = false;
  #isGone = false;
  /** The server has answered to the current wish. */
  #isAsked = false;
  #current: Wish | null = null;
  /** The current wish was given up before the server said under which name it computes it. */
  #isGivenUp = false;

  /** Whether something of a kind is computed, or will be. */
  isBusy(kind: Kind): boolean {
    return (this.running?.kind === kind && this.#current !== null) || this.queue.some((wish) => wish.kind === kind);
  }

  /** Ask for a computation; one of the same kind that is under way is given up for it. */
  ask(wish: Wish): void {
    this.problems = { ...this.problems, [wish.kind]: undefined };
    this.partial = { ...this.partial, [wish.kind]: false };
    const others = this.queue.filter((one) => one.kind !== wish.kind);
    this.queue = wish.kind === "orbit" || wish.kind === "diagram" ? [wish, ...others] : [...others, wish];
    if (this.#current?.kind === wish.kind && wish.kind !== "tiles") void this.#stop(); // tiles are kept whatever is looked at meanwhile
    if (!this.#isWorking) void this.#work();
  }

  /** End what is computed and what waits; what was found stays. */
  async cancel(): Promise<void> {
    this.queue = [];
    await this.#stop();
  }

  async #stop(): Promise<void> {
    const job = this.#isAsked ? this.running?.job : undefined;
    if (!job) {
      this.#isGivenUp = this.#current !== null;
      return;
    }
    try {
      await post<JobState>(`/api/tunnel/jobs/${job}/cancel`, {});
    } catch { /* it is over already */ }
  }

  leave(): void {
    this.#isGone = true;
    this.queue = [];
    const job = this.#current ? this.running?.job : null;
    if (job) void fetch(`/api/tunnel/jobs/${job}/cancel`, { method: "POST", keepalive: true, headers: { "content-type": "application/json" }, body: "{}" }).catch(() => undefined);
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    while (this.queue.length && !this.#isGone) {
      const [wish, ...rest] = this.queue;
      this.queue = rest;
      this.#current = wish!;
      this.busy = wish!.kind;
      this.#isAsked = this.#isGivenUp = false;
      this.partial = { ...this.partial, [wish!.kind]: false }; // the one it replaces was cancelled, this one is whole
      try {
        await this.#compute(wish!);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        this.problems = { ...this.problems, [wish!.kind]: error.problem.say };
      } finally {
        this.#current = null;
        this.busy = null;
        if (!this.queue.length) this.running = null;
      }
    }
    this.#isWorking = false;
  }

  async #compute(wish: Wish): Promise<void> {
    let state = await post<JobState>("/api/tunnel/jobs", { ...wish, client });
    this.#isAsked = true;
    if (this.#isGivenUp || this.#isGone) state = await post<JobState>(`/api/tunnel/jobs/${state.job}/cancel`, {});
    this.#begin(wish);
    let position = 0;
    for (;;) {
      this.running = state;
      for (const part of state.parts) this.#take(part);
      position = state.position;
      if (state.state !== "running" && state.state !== "starting") break;
      await pause(EVERY);
      if (this.#isGone) return;
      try {
        state = await get<JobState>(`/api/tunnel/jobs/${state.job}?after=${position}`);
        this.isLost = false;
      } catch (error) {
        if (!(error instanceof Refused) || error.status !== 0) throw error;
        this.isLost = true;
        await pause(AGAIN);
        state = { ...state, parts: [] };
      }
    }
    if (state.state === "cancelled") this.partial = { ...this.partial, [wish.kind]: true };
    if (state.problem) this.problems = { ...this.problems, [wish.kind]: state.problem };
  }

  #begin(wish: Wish): void {
    if (wish.kind === "diagram") {
      this.view = { ...this.view, isPreview: true, changes: [], threshold: NaN };
      this.named = [];
    }
    if (wish.kind === "trainability") this.#measuring = this.glass;
    if (wish.kind === "regimes") this.cells = [];
  }

  #take(part: JobPart): void {
    if (part.columns) this.view = { ...this.view, columns: merged(this.view.isPreview ? [] : this.view.columns, part.columns), isPreview: false };
    if (part.changes) this.view = { ...this.view, changes: part.changes.points, threshold: number(part.changes.threshold), how: part.changes.how };
    if (part.cells) this.cells = [...this.cells.filter((row) => row.row !== part.cells!.row), part.cells].sort((one, other) => one.row - other.row);
    if (part.name) this.named = [...this.named, part.name];
    if (part.tile) this.tiles = new Map([...this.tiles, [keyOf([part.tile.z, part.tile.x, part.tile.y]), part.tile]]);
    if (part.orbit) this.orbit = part.orbit;
    if (part.trainability) this.measured = { glass: this.#measuring, part: part.trainability };
  }

  /** Look at another window; the picture that is left can be gone back to. */
  zoom(window: Window, keepsPast: boolean): void {
    const { columns, isPreview } = this.view;
    this.past = keepsPast ? (columns.length && !isPreview ? [...this.past.slice(-KEPT + 1), this.view] : this.past) : [];
    this.view = { ...window, columns: keepsPast ? columns : [], changes: [], threshold: NaN, how: "", isPreview: true };
  }

  /** Go back to the picture before; tells whether there was one. */
  back(): boolean {
    const before = this.past.at(-1);
    if (!before) return false;
    this.past = this.past.slice(0, -1);
    this.queue = this.queue.filter((wish) => wish.kind !== "diagram");
    if (this.#current?.kind === "diagram") void this.#stop();
    this.view = before;
    this.named = [];
    this.partial = { ...this.partial, diagram: false };
    return true;
  }

  /** Look through another window at the map of trainability; where the hand has rested can be gone back to. */
  look(glass: Glass, isOver: boolean): void {
    this.glass = glass;
    if (!isOver || glass === this.#rested) return;
    this.glasses = [...this.glasses.slice(-KEPT + 1), this.#rested];
    this.#rested = glass;
  }

  lookBack(): void {
    const before = this.glasses.at(-1);
    if (!before) return;
    this.glasses = this.glasses.slice(0, -1);
    this.glass = this.#rested = before;
  }
}
