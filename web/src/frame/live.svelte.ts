// The one stream of this tab, the list of runs, and the run that is looked at: what every page may use.
import { Live } from "../core/live";
import { RunStore } from "../run/store.svelte";
import type { Problem, RunList } from "../wire";
import { settings } from "./settings.svelte";

export const live = new Live();

class Runs {
  list = $state.raw<RunList | null>(null);
  problem = $state.raw<Problem | null>(null);
}
export const runs = new Runs();

class Watched {
  id = $state<string | null>(null);
  store = $state.raw<RunStore | null>(null);
  /** Whether the stream is open. */
  line = $state(live.line.value);
  /** Since when it is not, milliseconds. */
  lostAt = $state(0);
  now = $state(Date.now());
}
/** The run that is looked at. */
export const watched = new Watched();

live.line.on((line) => {
  if (line === "lost" && watched.line !== "lost") watched.lostAt = Date.now();
  watched.line = line;
});
setInterval(() => { watched.now = Date.now(); }, 1000);

let leave: (() => void) | null = null;

function watch(id: string | null): void {
  if (id === watched.id) return;
  leave?.();
  leave = null;
  watched.id = id;
  watched.store = null;
  if (id === null) return;
  const store = new RunStore();
  const begin = (): void => {
    leave?.();
    leave = live.follow(`run:${id}`, (message) => store.take(message));
  };
  store.again = begin;
  watched.store = store;
  begin();
}

/** Begin: follow the list, and of it the run in the address, else the newest. */
export function start(): void {
  live.follow("runs", (message) => {
    if (message.kind === "problem") {
      runs.problem = message.data as Problem;
      return;
    }
    const isFirst = runs.list === null;
    const before = new Set(runs.list?.runs.map((run) => run.id));
    runs.list = message.data as RunList;
    const fresh = isFirst ? undefined : runs.list.runs.find((run) => run.state === "live" && !before.has(run.id));
    const isIdle = !watched.store?.run || watched.store.run.state !== "live";
    if (fresh && isIdle && !settings.query["run"]) choose(fresh.id, false);
    else follow();
  });
}

/** Look at a run; with `isAsked` its name goes into the address. */
export function choose(id: string, isAsked = true): void {
  if (isAsked) settings.put({ run: id, step: null, zoom: null });
  watch(id);
}

/** Look at what the address says, else at the newest. */
export function follow(): void {
  const wish = settings.query["run"];
  if (wish) watch(wish);
  else if (watched.id === null) watch(runs.list?.runs[0]?.id ?? null);
}
