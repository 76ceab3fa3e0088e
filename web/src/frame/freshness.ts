import { say, type Language } from "../core/language";
import type { Line } from "../core/live";
import type { RunLine } from "../wire";
import words from "./words.json";

export type Freshness = "live" | "stale" | "finished" | "lost" | "unreadable" | "disconnected" | "connecting" | "ready";
const STALE = 5_000; // milliseconds without news after which a live run is called stale

/** How fresh what is seen is: of the connection, then of the run. */
export function freshness(line: Line, lostAt: number, state: RunLine["state"] | null, sign: number, now: number, isEmpty = false): { kind: Freshness; age: number } {
  if (line === "lost") return { kind: "disconnected", age: now - lostAt };
  if (state === null) return { kind: isEmpty ? "ready" : "connecting", age: 0 };
  if (state !== "live") return { kind: state, age: now - sign };
  return now - sign > STALE ? { kind: "stale", age: now - sign } : { kind: "live", age: 0 };
}

export function ageOf(milliseconds: number, language: Language): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return say(words.seconds, language, { n: seconds });
  return seconds < 5400 ? say(words.minutes, language, { n: Math.round(seconds / 60) }) : say(words.hours, language, { n: Math.round(seconds / 3600) });
}
