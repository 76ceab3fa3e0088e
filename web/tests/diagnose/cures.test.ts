import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Cures } from "../../src/diagnose/cures.svelte";
import { nextOf, outcomeOf } from "../../src/run/outcomes";
import { placed } from "../../src/run/gauge";
import why from "../../src/diagnose/why.json";
import { settings } from "../../src/frame/settings.svelte";
import { chapters } from "../../src/learn/chapters";
import type { Change, CureBoard, CureJob, Envelope, ProofView, TriedRow } from "../../src/wire";

const change = (name: string, code = name): Change => ({ name, code, sentence: { en: name, ja: name } });
const tried = (names: string[], codes: string[], more: Partial<TriedRow> = {}): TriedRow => ({ names, codes, told: names.join(), steps: 3, score: 0, gain: 0, why: { en: "", ja: "" }, helped: false, is_accepted: false, ...more });
const proof = (state: "proved" | "well" | "open", rows: TriedRow[]): ProofView => ({ line: { id: "p", started: "", state, verdict: { en: "", ja: "" }, seconds: 1 }, tried: rows }) as unknown as ProofView;
const job = (more: Partial<CureJob> = {}): CureJob => ({ id: "j", state: "running", steps: [], elapsed: 5, budget: 60, seeds: 3, exit_code: null, outcome: null, said: [], has_proof: false, only: "", ...more });
const board = (more: Partial<CureBoard> = {}): CureBoard => ({ run: "r", why_not: null, command: "", script: "a.py", is_changed: false, job: null, proofs: [], most_budget: 3600, read_at: 0, ...more });
const message = (data: unknown, kind: "snapshot" | "delta" | "problem" = "snapshot"): Envelope => ({ topic: "cures:r", kind, position: "1", data });

beforeEach(() => settings.put({ proof: null }));
afterEach(() => vi.useRealTimers());

test("a prescription finds its own trial, by its code before its name", () => {
  const rows = [tried(["rate"], ["lr=1"]), tried(["rate"], ["lr=2"], { helped: true }), tried(["clip", "norm"], ["a", "b"])];
  expect(outcomeOf(change("rate", "lr=2"), proof("proved", rows))!.helped).toBe(true);
  expect(outcomeOf(change("rate", "lr=9"), proof("proved", rows))).toBe(rows[0]);
  expect(outcomeOf(change("norm"), proof("proved", rows))).toBe(rows[2]);
  expect(outcomeOf(change("init"), proof("proved", rows))).toBeNull();
  expect(outcomeOf(change("rate"), null)).toBeNull();
});

test("after a failure the first untried prescription is next; after a success none is", () => {
  const changes = [change("rate"), change("clip"), change("init")];
  expect(nextOf(changes, proof("open", [tried(["rate"], ["rate"])]))!.name).toBe("clip");
  expect(nextOf(changes, proof("proved", [tried(["rate"], ["rate"])]))).toBeNull();
  expect(nextOf(changes, null)).toBeNull();
});

test("a cure that ends with a proof opens it, one that was over before does not", () => {
  const cures = new Cures("r");
  cures.take(message(board({ job: job({ state: "ended", has_proof: true }) })));
  expect(settings.query["proof"]).toBeUndefined();
  cures.take(message(board({ job: job() }), "delta"));
  expect(cures.isRunning).toBe(true);
  cures.take(message(board({ job: job({ state: "ended", has_proof: true }) }), "delta"));
  expect(settings.query["proof"]).toBe("j");
  expect(cures.isRunning).toBe(false);
});

test("of two boards the later one counts, in whatever order they arrive", () => {
  const cures = new Cures("r");
  cures.take(message(board({ job: job({ steps: [{ at: 1, what: "a", say: { en: "a", ja: "a" } }] }), read_at: 2 }), "delta"));
  cures.take(message(board({ job: job(), read_at: 1 }), "delta"));
  expect(cures.board!.job!.steps).toHaveLength(1);
});

test("time goes on between two messages and stops at the end", () => {
  vi.useFakeTimers();
  const cures = new Cures("r");
  cures.take(message(board({ job: job() })));
  expect(cures.elapsed(Date.now() + 3000)).toBeCloseTo(8);
  cures.take(message(board({ job: job({ state: "ended", elapsed: 9 }) })));
  expect(cures.elapsed(Date.now() + 60_000)).toBe(9);
});

test("the proof of the address is shown if there is one, else the newest; a problem is said", () => {
  const line = (id: string): CureBoard["proofs"][number] => ({ id, started: "", state: "proved", verdict: { en: "", ja: "" }, seconds: 1 });
  const cures = new Cures("r");
  expect(cures.chosen("old")).toBe("");
  cures.take(message(board({ proofs: [line("new"), line("old")] })));
  expect(cures.chosen("old")).toBe("old");
  expect(cures.chosen("gone")).toBe("new");
  cures.take(message({ problem: "not_found", say: { en: "gone", ja: "なし" } }, "problem"));
  expect(cures.problem!.en).toBe("gone");
});

test.each([[4430, 1, true, 1], [0.001, 1, true, -1], [7.68, 3.5, false, 1], [1, 2, false, -1], [-4, 2, false, -1]])("a gauge puts %d and its limit %d in order", (value, limit, isLogarithmic, side) => {
  const place = placed(value, limit)!;
  expect(place.isLogarithmic).toBe(isLogarithmic);
  expect(Math.sign(place.value - place.limit)).toBe(side);
  for (const share of [place.value, place.limit]) expect(share >= 0 && share <= 1).toBe(true);
});

test("without a limit there is no gauge, and what is infinite stands at the end", () => {
  expect(placed(3, NaN)).toBeNull();
  expect(placed(NaN, 1)).toBeNull();
  expect(placed(Infinity, 1)!.value).toBe(1);
});

test("every why is told in both languages in two lines, and leads to a chapter that exists", () => {
  const known = new Set(chapters.map(({ text }) => text.name));
  for (const [name, one] of Object.entries(why)) {
    expect(known.has(one.learn), name).toBe(true);
    for (const text of [one.en, one.ja]) expect(text.length > 20 && text.length < 200, name).toBe(true);
  }
});
