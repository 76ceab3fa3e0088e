import type { Linked } from "./component";
import { placeOf } from "./numbers";

/** Keys over a picture: ← → move the cross-hair, with Shift by ten; ↑ ↓ change the row; + − 0 zoom; Escape lets go; Enter chooses the row. */
export function steer(el: HTMLElement, linked: Linked, what: { steps(): readonly number[]; rows?(): number; worst?(): number }): () => void {
  const onKey = (event: KeyboardEvent): void => {
    const steps = what.steps();
    if (!steps.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const done = moved(event, linked, steps, what.rows?.() ?? 0, what.worst?.() ?? 0);
    if (done) {
      event.preventDefault();
      event.stopPropagation();
    }
  };
  el.addEventListener("keydown", onKey);
  return () => el.removeEventListener("keydown", onKey);
}

function moved(event: KeyboardEvent, linked: Linked, steps: readonly number[], rows: number, worst: number): boolean {
  const now = linked.cursor.value ?? linked.last;
  const { first, last } = linked.shown;
  const step = now?.step ?? last;
  const row = rows ? Math.min(now?.row ?? worst, rows - 1) : (now?.row ?? null);
  const at = placeOf(steps, step);
  const go = (place: number, toRow: number | null = row): boolean => {
    linked.cursor.set({ step: Math.min(last, Math.max(first, steps[Math.min(steps.length - 1, Math.max(0, place))]!)), row: toRow });
    return true;
  };
  switch (event.key) {
    case "ArrowLeft": return go(now ? at - (event.shiftKey ? 10 : 1) : at);
    case "ArrowRight": return go(now ? at + (event.shiftKey ? 10 : 1) : at);
    case "ArrowUp": return rows > 0 && go(at, Math.min(rows - 1, now ? (row ?? worst) + 1 : worst));
    case "ArrowDown": return rows > 0 && go(at, Math.max(0, now ? (row ?? worst) - 1 : worst));
    case "Home": return go(placeOf(steps, first - 1) + 1);
    case "End": return go(placeOf(steps, last));
    case "Escape": linked.cursor.set(null); return true;
    case "Enter": if (rows && now && row !== null) linked.chosen.set(row); return rows > 0;
    case "+": case "=": zoomBy(linked, 0.5, step); return true;
    case "-": zoomBy(linked, 2, step); return true;
    case "0": case "Backspace": linked.zoom.set(null); return true;
    default: return false;
  }
}

/** Zoom around a step; as wide as all there is means no zoom. */
export function zoomBy(linked: Linked, factor: number, step: number): void {
  const { first, last } = linked.shown;
  const all = linked.range.value;
  const width = Math.max(2, (last - first) * factor);
  if (width >= all.last - all.first) return linked.zoom.set(null);
  const share = last > first ? (step - first) / (last - first) : 0.5;
  const start = Math.min(Math.max(all.first, Math.round(step - width * share)), Math.round(all.last - width));
  linked.zoom.set({ first: start, last: Math.round(start + width) });
}
