// Flags over the steps: findings, jumps of the learning rate, notes, the end. On the same horizontal axis as the pictures below.
import { element, onceAFrame, onWidth, pngOf, type Mounted, type Options } from "../../core/component";
import { say } from "../../core/language";
import type { EventFlag } from "../../wire";
import words from "./words.json";

export interface EventRailData {
  events: readonly EventFlag[];
}

const SIGNS: Record<string, string> = { finding: "!", learning_rate: "η", mark: "✎", end: "■" };
type Kind = "finding" | "learning_rate" | "mark" | "end";
const kindOf = (flag: EventFlag): Kind => (flag.kind in SIGNS ? (flag.kind as Kind) : "mark");

export function mount(el: HTMLElement, data: EventRailData, options: Options): Mounted<EventRailData> {
  const { linked, language } = options;
  const rail = element("div", { class: "rail", role: "group", "aria-label": say(words.name, language) });
  el.append(rail);
  let shown = data;

  function draw(): void {
    const { left, right } = linked.margins.value;
    const { first, last } = linked.shown;
    const width = Math.max(20, rail.clientWidth - left - right);
    const groups: { x: number; flags: EventFlag[] }[] = [];
    for (const flag of shown.events) {
      if (flag.step > last || (flag.step < first && first > linked.range.value.first)) continue;
      const x = left + ((Math.max(flag.step, first) - first) / (last + 1 - first)) * width;
      const near = groups.at(-1);
      if (near && x - near.x < 26) near.flags.push(flag);
      else groups.push({ x, flags: [flag] });
    }
    rail.replaceChildren(...groups.map(({ x, flags }) => button(Math.min(x, left + width), flags)));
  }

  function button(x: number, flags: EventFlag[]): HTMLElement {
    const signs = [...new Set(flags.map((flag) => SIGNS[kindOf(flag)]!))].join("");
    const title = flags.map((flag) => `${say(words.at, language, { n: flag.step })} · ${say(flag.say, language).replaceAll("`", "")}`).join("\n");
    const worst = flags.some((flag) => flag.severity === "error") ? "error" : flags.some((flag) => flag.severity === "warning") ? "warning" : "plain";
    const made = element("button", { type: "button", class: `flag ${worst}`, title, "aria-label": title }, flags.length > 1 ? `${signs}${flags.length}` : signs);
    made.style.left = `${x}px`;
    const point = (): void => linked.cursor.set({ step: Math.min(linked.shown.last, Math.max(linked.shown.first, flags[0]!.step)), row: linked.cursor.value?.row ?? null });
    made.addEventListener("focus", point);
    made.addEventListener("pointerenter", point);
    made.addEventListener("click", point);
    made.addEventListener("pointerleave", () => linked.cursor.set(null));
    made.addEventListener("blur", () => linked.cursor.set(null));
    return made;
  }

  const frame = onceAFrame(draw);
  const stops = [linked.zoom.on(frame.ask), linked.range.on(frame.ask), linked.margins.on(frame.ask), onWidth(el, frame.ask)];
  draw();
  return {
    update(delta): void {
      const isSame = delta.events && JSON.stringify(delta.events) === JSON.stringify(shown.events);
      shown = { ...shown, ...delta };
      if (!isSame) frame.ask();
    },
    destroy(): void {
      frame.cancel();
      for (const stop of stops) stop();
      rail.remove();
    },
    toPNG: () => pngOf("#ffffff", document.createElement("canvas")),
    table: () => ({
      heads: [words.step, words.kind, words.what].map((head) => say(head, language)),
      rows: shown.events.map((flag) => [flag.step, say(words[kindOf(flag)], language), say(flag.say, language).replaceAll("`", "")]),
    }),
  };
}
