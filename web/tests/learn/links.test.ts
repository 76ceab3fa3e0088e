import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chapters } from "../../src/learn/chapters";

const SOURCE = join(__dirname, "../../src");
const files = (readdirSync(SOURCE, { recursive: true }) as string[]).filter((name) => name.endsWith(".svelte"));
const wanted = files.flatMap((name) => [...readFileSync(join(SOURCE, name), "utf8").matchAll(/learn[=(]"(\w+)"|learn=\{learn\("(\w+)"\)\}/g)].map((found) => found[1] ?? found[2]!));

describe("question marks", () => {
  it("lead to chapters that there are", () => {
    expect(wanted.length).toBeGreaterThan(5);
    expect(wanted.filter((name) => !chapters.some(({ text }) => text.name === name))).toEqual([]);
  });
  it("find every chapter's text in both languages", () => {
    const empty = chapters.flatMap(({ text }) => [text.title, text.notice, text.question, text.answer, text.experiment.words, ...text.idea, ...Object.values(text.controls), ...Object.values(text.says)]).filter((one) => !one.en || !one.ja);
    expect(empty).toEqual([]);
    expect(chapters.map(({ text }) => text.number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});
