import { beforeEach, expect, test } from "vitest";
import { mount as mountRail } from "../src/components/event-rail";
import { mount as mountFlow } from "../src/components/flow-graph";
import { mount as mountLines } from "../src/components/line-chart";
import { cellsOf, mount as mountMap } from "../src/components/weather-map";
import { MapColumns } from "../src/core/columns";
import { Linked, type Options } from "../src/core/component";

const EVIL = "</script><img src=x onerror=alert(1)>";
let el: HTMLElement;
let options: Options;
beforeEach(() => {
  document.body.replaceChildren((el = document.createElement("div")));
  options = { language: "en", isDark: false, linked: new Linked() };
  options.linked.range.set({ first: 1, last: 4 });
});
const columns = (): MapColumns => new MapColumns({ title: { en: "", ja: "" }, names: ["in", EVIL], steps: [1, 2, 3, 4], recorded: 4, now: [], wind: [[-5, -5, -5, -6], [0, "NaN", 0, "Infinity"]], norm: [[1, 1, 1, 1], [1, 1, 1, "NaN"]], wind_low: [], wind_high: [], norm_low: [] });
const key = (name: string, more: object = {}): boolean => el.querySelector('[role="img"]')!.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, ...more }));

test("the weather map says what it shows, walks by keys, and tells all of it in a table", () => {
  const made = mountMap(el, { columns: columns(), now: [-6, Infinity], title: "All is calm" }, options);
  expect(el.querySelector('[role="img"]')!.getAttribute("aria-label")).toContain("All is calm");
  key("ArrowLeft");
  expect(options.linked.cursor.value).toEqual({ step: 4, row: 1 });
  key("ArrowLeft");
  key("ArrowDown");
  expect(options.linked.cursor.value).toEqual({ step: 3, row: 0 });
  expect(el.querySelector(".tip")!.textContent).toContain("wind −5 (C calm)");
  key("Enter");
  expect(options.linked.chosen.value).toBe(0);
  expect(made.table().rows).toEqual([[EVIL, "NaN N", "0 B", "NaN N"], ["in", "−6 C", "−6 C", "−5 C"]]);
  expect(cellsOf(columns()).rows).toHaveLength(8);
  expect(made.toPython!()).toContain("pcolormesh");
  expect(el.querySelector("img")).toBeNull();
  made.destroy();
  expect(el.childNodes).toHaveLength(0);
});

test("the line chart reads the newest value, marks what is lost, and saves lines", () => {
  const data = { title: "Falls", axis: "loss", curves: [{ name: "Loss", steps: [1, 2, 3, 4], low: [4, 2, 1, NaN], colour: "loss" as const }], lines: [{ at: 2, say: "guessing 2" }], lost: [4] };
  const made = mountLines(el, data, options);
  expect(el.querySelector(".reading")!.textContent).toBe("nowLoss NaN / ∞");
  options.linked.cursor.set({ step: 2, row: null });
  expect(el.querySelector(".reading")!.textContent).toBe("step 2Loss 2");
  expect(made.table()).toEqual({ heads: ["step", "Loss"], rows: [[1, 4], [2, 2], [3, 1], [4, "NaN"]] });
  expect(made.toPython!()).toContain("axhline(2");
  made.destroy();
  expect(el.childNodes).toHaveLength(0);
});

test("the rail gathers flags that stand close, keeps their texts as text, and points", () => {
  const flag = (step: number, kind: string, en: string): never => ({ kind, step, say: { en, ja: en }, severity: kind === "finding" ? "error" : "" }) as never;
  const made = mountRail(el, { events: [flag(1, "finding", EVIL), flag(1, "finding", "b"), flag(4, "end", "End")] }, options);
  const buttons = [...el.querySelectorAll("button")];
  expect(buttons.reduce((sum, one) => sum + one.title.split("\n").length, 0)).toBe(3);
  expect(buttons[0]!.title).toContain(EVIL);
  expect(el.querySelector("img")).toBeNull();
  buttons[0]!.dispatchEvent(new Event("focus"));
  expect(options.linked.cursor.value!.step).toBe(1);
  made.destroy();
});

test("the graph draws a chain in lines, a branching one by layers, and folds a long one", () => {
  const node = (id: string, layer = -1): never => ({ id, label: id, kind: layer < 0 ? "quantity" : "operation", layer }) as never;
  const edge = (source: string, target: string): never => ({ source, target, label: "64" }) as never;
  const long = Array.from({ length: 60 }, (_, at) => node(`n${at}`, at));
  const chain = mountFlow(el, { flow: { nodes: long, edges: long.slice(1).map((_, at) => edge(`n${at}`, `n${at + 1}`)), why_not: null }, now: [], title: "chain" }, options);
  expect(el.querySelectorAll(".node").length).toBeLessThan(30);
  expect(el.textContent).toContain("more layers");
  expect(chain.table().rows).toHaveLength(60);
  chain.destroy();
  const flow = { nodes: [node("x"), node("a", 0), node("b", 1), node("y")], edges: [edge("x", "a"), edge("a", "b"), edge("b", "y"), edge("a", "y")], why_not: null };
  const made = mountFlow(el, { flow, now: [-6, Infinity], title: "skip" }, options);
  expect(el.querySelectorAll("path.edge")).toHaveLength(4);
  expect(el.querySelector(".node.lost")).not.toBeNull();
  el.querySelector<SVGElement>('.node[role="button"]')!.dispatchEvent(new MouseEvent("click"));
  expect(options.linked.chosen.value).toBe(0);
  made.destroy();
});
