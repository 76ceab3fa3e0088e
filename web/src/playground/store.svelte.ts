// One session of the playground: what the server runs, and what was seen of it.
import { post, Refused } from "../core/api";
import { MapColumns } from "../core/columns";
import { Linked } from "../core/component";
import type { Frame, Misfit, Sentence, SessionOpened, Spec, SurfaceRequest, SurfaceSeen } from "../wire";

const EMPTY = { title: { en: "", ja: "" }, names: [], steps: [], recorded: 0, now: [], wind: [], norm: [], wind_low: [], wind_high: [], norm_low: [] };
const AT_ONCE = 400; // steps asked for in one answer; the server stops earlier, by the clock
const MILLISECONDS = 70;
const MOST_LOSSES = 20_000;

export class Play {
  frame = $state.raw<Frame | null>(null);
  misfits = $state.raw<readonly Misfit[]>([]);
  problem = $state.raw<Sentence | null>(null);
  points = $state.raw<readonly (readonly number[])[]>([]);
  code = $state("");
  /** What the frame is of: what is wished for may be ahead of it. */
  built = $state.raw<Spec | null>(null);
  isRunning = $state(false);
  isOpening = $state(false);
  /** Losses of this session, and those of the one before the last change. */
  losses = $state.raw<readonly number[]>([]);
  before = $state.raw<readonly number[]>([]);
  /** What the losses before the last change were of; `null` where there is no name for it. */
  beforeName = $state.raw<Sentence | null>(null);
  landscape = $state.raw<SurfaceSeen["landscape"] | null>(null);
  isSurfacing = $state(false);
  surfaceProblem = $state.raw<Sentence | null>(null);
  map: MapColumns = new MapColumns(structuredClone(EMPTY) as never);
  version = $state(0);
  readonly linked = new Linked();
  #session = "";
  /** Counts beginnings: an answer that was asked for before the latest one is of a training that is gone. */
  #turn = 0;
  #runs = 0;
  #asked: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> = Promise.resolve();

  /** Begin a session; what the last one learned stays as a second curve. With `isRace` the new one trains as far as the last one came. */
  open(spec: Spec, table: string, name: Sentence | null = null, isRace = false): Promise<void> {
    const opening = this.#open(spec, table, name, isRace);
    this.#opening = opening;
    return opening;
  }

  async #open(spec: Spec, table: string, name: Sentence | null, isRace: boolean): Promise<void> {
    const turn = ++this.#turn;
    const wasRunning = this.isRunning;
    this.isRunning = false;
    this.isOpening = true;
    const past = this.losses.length > 1 ? this.losses : null;
    const goal = isRace ? (past ?? this.before).length : 0;
    try {
      const opened = await post<SessionOpened>("/api/playground/sessions", { spec, table });
      if (turn !== this.#turn) return;
      this.#session = opened.session;
      this.misfits = opened.misfits;
      this.problem = null;
      if (opened.frame) {
        this.points = opened.points;
        this.code = opened.code;
        this.built = spec;
        if (past) [this.before, this.beforeName] = [past, name]; // not sooner: beside itself it would be called no better
        this.#begin(opened.frame);
        if (wasRunning || goal) void this.run(wasRunning ? Infinity : goal, false);
      }
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    } finally {
      if (turn === this.#turn) this.isOpening = false;
    }
  }

  /** Train on; pressed while a network is being opened it is that network that trains. */
  async run(goal = Infinity, isAsked = true): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    const turn = this.#turn;
    const own = ++this.#runs; // run, pause and run again: only the latest goes on
    if (isAsked && this.isOpening) await this.#opening;
    if (turn !== this.#turn || own !== this.#runs) return;
    if (!this.#session) {
      this.isRunning = false;
      return;
    }
    while (this.isRunning && own === this.#runs && turn === this.#turn && !this.frame?.is_over && (this.frame?.step ?? 0) < goal) {
      const begin = performance.now();
      await this.advance(Math.min(AT_ONCE, goal - (this.frame?.step ?? 0)), MILLISECONDS);
      const rest = 100 - (performance.now() - begin);
      if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
    }
    if (turn === this.#turn && own === this.#runs) this.isRunning = false;
  }

  async advance(steps: number, milliseconds = MILLISECONDS): Promise<void> {
    if (this.isOpening) await this.#opening;
    if (!this.#session) return;
    const turn = this.#turn;
    try {
      const frame = await this.#ask("advance", { steps, milliseconds });
      if (turn === this.#turn) this.#take(frame);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.isRunning = false;
      this.#fail(error);
    }
  }

  /** The loss surface around the weights as they are now. */
  async surface(plane: SurfaceRequest["plane"]): Promise<void> {
    this.isSurfacing = true;
    if (this.isOpening) await this.#opening;
    const turn = this.#turn;
    this.surfaceProblem = null;
    try {
      const { landscape } = await post<SurfaceSeen>(`/api/playground/sessions/${this.#session}/surface`, { plane });
      if (turn === this.#turn) this.landscape = landscape;
    } catch (error) {
      if (turn === this.#turn) this.surfaceProblem = error instanceof Refused ? error.problem.say : { en: String(error), ja: String(error) };
    } finally {
      this.isSurfacing = false;
    }
  }

  async reset(): Promise<void> {
    if (this.isOpening) return; // what is being opened begins at its first step
    const turn = ++this.#turn;
    this.isRunning = false;
    try {
      const frame = await this.#ask("reset", {});
      if (turn !== this.#turn) return;
      this.problem = null;
      this.#begin(frame);
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
    }
  }

  /** Ask the session for something once it has answered what it was asked before: a step asked for before a reset is taken before it. */
  #ask(what: "advance" | "reset", body: object): Promise<Frame> {
    const answer = this.#asked.then(() => post<Frame>(`/api/playground/sessions/${this.#session}/${what}`, body));
    this.#asked = answer.catch(() => undefined);
    return answer;
  }

  #begin(frame: Frame): void {
    this.landscape = null;
    this.surfaceProblem = null;
    this.losses = [];
    this.map = new MapColumns(structuredClone(EMPTY) as never);
    this.frame = frame;
    this.version += 1;
  }

  #take(frame: Frame): void {
    this.frame = frame;
    this.losses = [...this.losses, ...frame.losses.map((loss) => loss ?? NaN)].slice(-MOST_LOSSES);
    if (frame.losses.length) {
      const names = frame.layers.map((layer) => layer.name);
      if (this.map.isEmpty) {
        this.map = new MapColumns({ ...structuredClone(EMPTY), names, steps: [frame.step], recorded: 1, wind: frame.layers.map(({ wind }) => [wind ?? "Infinity"]), norm: frame.layers.map(({ gradient_norm: norm }) => [norm ?? "NaN"]) } as never);
      } else {
        this.map.append([frame.step], frame.layers.map(({ wind }) => [wind ?? "Infinity"]), frame.layers.map(({ gradient_norm: norm }) => [norm ?? "NaN"]));
      }
      this.linked.range.set({ first: this.map.steps[0]!, last: frame.step });
    }
    this.version += 1;
  }

  #fail(error: unknown): void {
    this.problem = error instanceof Refused ? error.problem.say : { en: String(error), ja: String(error) };
  }
}
