// What became of a prescription in the trials of a cure.
import type { Change, ProofView, TriedRow } from "../wire";

/** What became of one prescription in a proof: its own trial, else the first in which it took part. */
export function outcomeOf(change: Change, proof: ProofView | null): TriedRow | null {
  if (!proof) return null;
  const own = proof.tried.filter((one) => one.names.length === 1 && one.names[0] === change.name);
  return own.find((one) => one.codes[0] === change.code) ?? own[0] ?? proof.tried.find((one) => one.names.includes(change.name)) ?? null;
}

/** The first prescription that a proof which failed did not try, by name. */
export function nextOf(changes: readonly Change[], proof: ProofView | null): Change | null {
  if (!proof || proof.line.state !== "open") return null;
  return changes.find((change) => outcomeOf(change, proof) === null) ?? null;
}
