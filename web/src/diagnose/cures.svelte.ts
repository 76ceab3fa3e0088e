// The cures of one run: what can be done, what is under way, and the proof that is looked at.
import { get, post, Refused } from "../core/api";
import { live } from "../frame/live.svelte";
import { settings } from "../frame/settings.svelte";
import type { CureBoard, CureStarted, Envelope, EvidenceCurve, EvidenceCurves, Problem, ProofView, Sentence } from "../wire";

export class Cures {
  board = $state.raw<CureBoard | null>(null);
  /** When the board came, milliseconds: what goes on grows older since. */
  at = $state(0);
  proof = $state.raw<ProofView | null>(null);
  problem = $state.raw<Sentence | null>(null);
  isAsking = $state(false);
  /** Courses of the evidence; empty until they came. */
  courses = $state.raw<readonly EvidenceCurve[]>([]);
  #leave: (() => void) | null = null;
  #wanted = "";
  #turn = 0;

  constructor(readonly run: string) {}

  follow(): () => void {
    this.#leave = live.follow(`cures:${this.run}`, (message) => this.take(message));
    return () => this.#leave?.();
  }

  take(message: Envelope): void {
    if (message.kind === "problem") {
      this.problem = (message.data as Problem).say;
      return;
    }
    this.problem = null;
    this.#put(message.data as CureBoard);
  }

  /** Take a board, unless a newer one is there: what is asked for and what the stream says may overtake each other. */
  #put(board: CureBoard): void {
    if (this.board && board.read_at < this.board.read_at) return;
    const before = this.board?.job;
    this.board = board;
    this.at = Date.now();
    const job = board.job;
    if (job?.has_proof && before && before.state !== "ended") settings.put({ proof: job.id });
  }

  /** Seconds since the cure under way began. */
  elapsed(now: number): number {
    const job = this.board?.job;
    if (!job) return 0;
    return job.state === "ended" ? job.elapsed : job.elapsed + Math.max(0, now - this.at) / 1000;
  }

  /** The proof that the address names, else the newest. */
  chosen(wish: string | undefined): string {
    const proofs = this.board?.proofs ?? [];
    return proofs.find((one) => one.id === wish)?.id ?? proofs[0]?.id ?? "";
  }

  async read(id: string): Promise<void> {
    this.#wanted = id;
    if (!id || this.proof?.line.id === id) return;
    try {
      const proof = await get<ProofView>(`${this.#path}/${encodeURIComponent(id)}`);
      if (this.#wanted === id) this.proof = proof;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ask for the courses of the evidence; a live run has longer ones at each call. */
  async readCourses(): Promise<void> {
    const turn = ++this.#turn;
    let curves: readonly EvidenceCurve[] = []; // without them the numbers stand in the cards all the same
    try {
      curves = (await get<EvidenceCurves>(`/api/runs/${encodeURIComponent(this.run)}/evidence`)).curves;
    } catch { /* as above */ }
    if (turn === this.#turn) this.courses = curves;
  }

  /** Start the search for a cure, or the trial of `only` one prescription. */
  async start(budget: number, seeds: number, only = ""): Promise<void> {
    this.isAsking = true;
    this.problem = null;
    try {
      const answer = await post<CureStarted>(this.#path, { budget, seeds, language: settings.language, only });
      if (answer.why_not) this.problem = answer.why_not;
      this.#put(await get<CureBoard>(this.#path));
    } catch (error) {
      this.#fail(error);
    } finally {
      this.isAsking = false;
    }
  }

  async cancel(): Promise<void> {
    try {
      await post(`${this.#path}/cancel`, {});
      this.#put(await get<CureBoard>(this.#path));
    } catch (error) {
      this.#fail(error);
    }
  }

  get isRunning(): boolean {
    return this.board?.job !== null && this.board?.job !== undefined && this.board.job.state !== "ended";
  }

  address(what: "patch" | "report"): string {
    return `${this.#path}/${encodeURIComponent(this.proof?.line.id ?? "")}/${what}`;
  }

  get #path(): string {
    return `/api/runs/${encodeURIComponent(this.run)}/cures`;
  }

  #fail(error: unknown): void {
    this.problem = error instanceof Refused ? error.problem.say : { en: String(error), ja: String(error) };
  }
}
