import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { letter, windScale } from "../src/core/colours";
import { Linked } from "../src/core/component";
import { say } from "../src/core/language";
import { get } from "../src/core/api";
import { Live } from "../src/core/live";
import { placeOf, short, ticks } from "../src/core/numbers";
import { csvOf } from "../src/core/save";
import { zoomBy } from "../src/core/steer";
import { ageOf, freshness } from "../src/frame/freshness";
import { PALETTE } from "../src/wire";

test("numbers have three digits, an exponent where needed, and a true minus", () => {
  expect([0, 1, 0.0123456, -4.5, 1e-7, 123456, NaN, Infinity, 2.3026].map(short)).toEqual(["0", "1", "0.0123", "−4.5", "1e−7", "1.23e5", "NaN", "∞", "2.30"]);
});

test("the place of a step is the column that holds it", () => {
  expect([0, 1, 4, 5, 99].map((step) => placeOf([1, 5, 9], step))).toEqual([-1, 0, 0, 1, 2]);
});

test("ticks are round and inside", () => {
  expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
  expect(ticks(3, 3, 5)).toEqual([3]);
});

test("colours at the anchors are the anchors, beyond the limits they stay, NaN has its own", () => {
  for (const isDark of [false, true]) {
    const colour = windScale(isDark, [1, 2, 3]);
    for (const [place, code] of PALETTE[isDark ? "dark" : "light"]) expect(`#${colour(place).map((part) => part.toString(16).padStart(2, "0")).join("")}`).toBe(code);
    expect(colour(-99)).toEqual(colour(PALETTE.limits[0]));
    expect(colour(99)).toEqual(colour(PALETTE.limits[1]));
    expect(colour(NaN)).toEqual([1, 2, 3]);
  }
  expect([-4, 0, 1, Infinity, NaN, -Infinity].map(letter).join("")).toBe("CBSN–C");
});

test("CSV is quoted and starts no formula", () => {
  expect(csvOf({ heads: ["a", "b"], rows: [["=1+1", -1], ['x"y', "a,b"]] })).toBe('a,b\r\n\'=1+1,-1\r\n"x""y","a,b"\r\n');
});

test("zooming keeps within the run and out again is all", () => {
  const linked = new Linked();
  linked.range.set({ first: 1, last: 100 });
  zoomBy(linked, 0.5, 90);
  expect(linked.zoom.value!.last).toBeLessThanOrEqual(100);
  expect(linked.zoom.value!.first).toBeGreaterThanOrEqual(1);
  zoomBy(linked, 4, 90);
  expect(linked.zoom.value).toBeNull();
});

test("freshness is that of the connection first, then of the run", () => {
  expect(freshness("lost", 0, "live", 0, 9_000)).toEqual({ kind: "disconnected", age: 9_000 });
  expect(freshness("open", 0, null, 0, 0).kind).toBe("connecting");
  expect(freshness("open", 0, "live", 9_000, 10_000).kind).toBe("live");
  expect(freshness("open", 0, "live", 0, 12_000)).toEqual({ kind: "stale", age: 12_000 });
  expect(freshness("open", 0, "finished", 0, 10_000).kind).toBe("finished");
  expect([12_000, 600_000, 9e6].map((age) => ageOf(age, "en"))).toEqual(["12 s", "10 min", "3 h"]);
});

test("an answer that is cut off is no answer", async () => {
  vi.stubGlobal("fetch", async () => new Response('{"job": "a', { status: 200 }));
  await expect(get("/api/x")).rejects.toMatchObject({ status: 0 });
  vi.unstubAllGlobals();
});

describe("the stream", () => {
  class Source {
    static made: Source[] = [];
    onopen: (() => void) | null = null;
    onmessage: ((event: { data: string }) => void) | null = null;
    onerror: (() => void) | null = null;
    isClosed = false;
    constructor(readonly url: string) { Source.made.push(this); }
    addEventListener(): void {}
    close(): void { this.isClosed = true; }
    send(topic: string, kind: string, position: string): void { this.onmessage!({ data: JSON.stringify({ topic, kind, position, data: {} }) }); }
  }

  test("one line for all topics; after a loss it goes on where it was", () => {
    vi.useFakeTimers();
    Source.made = [];
    const live = new Live((url) => new Source(url) as never);
    const heard: string[] = [];
    live.follow("runs", (message) => heard.push(message.position));
    const leave = live.follow("run:a", (message) => heard.push(message.position));
    vi.advanceTimersByTime(10);
    expect(Source.made.map((one) => one.url)).toEqual(["/api/stream?topic=runs&topic=run%3Aa"]);
    Source.made[0]!.send("runs", "snapshot", "e.0");
    Source.made[0]!.send("run:a", "snapshot", "f.0");
    Source.made[0]!.send("run:a", "delta", "f.1");
    Source.made[0]!.onerror!();
    expect(live.line.value).toBe("lost");
    vi.advanceTimersByTime(1_500);
    expect(decodeURIComponent(Source.made[1]!.url)).toBe("/api/stream?topic=runs&topic=run:a&after=runs@e.0,run:a@f.1");
    leave();
    vi.advanceTimersByTime(10);
    expect(Source.made[1]!.isClosed).toBe(true);
    expect(decodeURIComponent(Source.made[2]!.url)).toBe("/api/stream?topic=runs&after=runs@e.0");
    expect(heard).toEqual(["e.0", "f.0", "f.1"]);
    vi.useRealTimers();
  });

  test("who begins a topic anew gets its whole although the old line still speaks", () => {
    vi.useFakeTimers();
    Source.made = [];
    const live = new Live((url) => new Source(url) as never);
    const heard: string[] = [];
    live.follow("run:a", () => undefined);
    vi.advanceTimersByTime(10);
    Source.made[0]!.send("run:a", "snapshot", "f.0");
    live.follow("run:a", (message) => heard.push(message.kind));
    Source.made[0]!.send("run:a", "delta", "f.1"); // before the line is opened anew
    vi.advanceTimersByTime(10);
    expect(Source.made[1]!.url).toBe("/api/stream?topic=run%3Aa");
    Source.made[1]!.send("run:a", "snapshot", "f.1");
    expect(heard).toEqual(["snapshot"]);
    vi.useRealTimers();
  });
});

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}

test.each(files("src").filter((file) => file.endsWith("words.json")))("%s has every text in both languages, with the same braces", (file) => {
  const braces = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();
  for (const [key, text] of Object.entries(JSON.parse(readFileSync(file, "utf-8")) as Record<string, { en: string; ja: string }>)) {
    expect(Object.keys(text).sort(), key).toEqual(["en", "ja"]);
    expect(text.en.trim() && text.ja.trim(), key).toBeTruthy();
    expect(braces(text.ja), key).toEqual(braces(text.en));
  }
});

test("no page makes markup of strings or styles in attributes", () => {
  for (const file of files("src").filter((one) => /\.(ts|svelte)$/.test(one))) {
    const text = readFileSync(file, "utf-8");
    expect(/\.innerHTML\s*=|outerHTML\s*=|insertAdjacentHTML|document\.write|new Function|\beval\(/.test(text), file).toBe(false);
    if (file.endsWith(".svelte")) expect(/<[^>]*\sstyle="[^"{]*"/.test(text), file).toBe(false);
  }
});

test("say fills in what it is given and leaves the rest", () => {
  expect(say({ en: "{a} of {b}", ja: "{b} の {a}" }, "ja", { a: 1 })).toBe("{b} の 1");
});
