// The tunnel of a page when answers come late.
import { afterEach, describe, expect, it, vi } from "vitest";
import { Tunnel, type Wish } from "../../src/tunnel/store.svelte";

const wish = (kind: Wish["kind"]): Wish => ({ kind, preset: "two_weights", low: 0, high: 1, members: 2, transient: 0, keep: 2, at: 1, y_low: 0, y_high: 1, rows: 8, second: null, tiles: [], rates: [] });

/** A server that computes for ever, and holds back its first answer until it is told to give it. */
function slowServer() {
  const asked: string[] = [];
  let give: () => void = () => undefined;
  let kind = "";
  const answer = (job: string, state: string) => new Response(JSON.stringify({ job, kind, state, done: 0, total: 1, seconds: 0, seconds_left: "NaN", position: 0, parts: [], problem: null }), { status: 200 });
  vi.stubGlobal("fetch", async (address: string, options?: { body?: string }) => {
    const [, , , , job, what] = address.split("/");
    asked.push(what ?? (job ? "look" : "start"));
    if (what === "cancel") return answer(job!, "cancelled");
    if (job) return answer(job, asked.includes("cancel") ? "done" : "running");
    kind = (JSON.parse(options!.body!) as Wish).kind;
    if (asked.length === 1) await new Promise<void>((resolve) => { give = resolve; });
    return answer(`j${asked.length}`, asked.length === 1 ? "starting" : "done");
  });
  return { asked, give: () => give() };
}

afterEach(() => vi.unstubAllGlobals());

describe("what is given up before the server has answered", () => {
  it("is cancelled as soon as its name is known", async () => {
    const server = slowServer();
    const tunnel = new Tunnel();
    tunnel.ask(wish("diagram"));
    await tunnel.cancel();
    server.give();
    await vi.waitFor(() => expect(tunnel.busy).toBeNull());
    expect(server.asked).toEqual(["start", "cancel"]);
    expect(tunnel.partial.diagram).toBe(true);
  });

  it("makes room for the one that takes its place", async () => {
    const server = slowServer();
    const tunnel = new Tunnel();
    tunnel.ask(wish("diagram"));
    tunnel.ask(wish("diagram"));
    server.give();
    await vi.waitFor(() => expect(tunnel.busy).toBeNull());
    expect(server.asked).toEqual(["start", "cancel", "start"]);
    expect(tunnel.partial.diagram).toBe(false);
  });
});
