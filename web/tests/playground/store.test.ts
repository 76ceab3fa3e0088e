// The session of the playground when answers come late.
import { afterEach, describe, expect, it, vi } from "vitest";
import { FIRST } from "../../src/playground/spec";
import { Play } from "../../src/playground/store.svelte";

const frame = (step: number) => ({ step, losses: step ? [1] : [], held_out_loss: 1, accuracy: null, guess: 1, layers: [], activations: [], picture: [], matrix: null, is_over: false });
const answer = (body: unknown) => new Response(JSON.stringify(body), { status: 200, headers: { "content-type": "application/json" } });

/** A server that holds back its answers to `advance` until it is told to give them. */
function slowServer() {
  const held: (() => void)[] = [];
  const asked: string[] = [];
  let step = 0;
  vi.stubGlobal("fetch", async (address: string) => {
    const what = address.split("/").at(-1)!;
    asked.push(what);
    if (what === "sessions") return answer({ session: "s", misfits: [], frame: frame((step = 0)), points: [], code: "" });
    if (what === "reset") return answer(frame((step = 0)));
    await new Promise<void>((resolve) => held.push(resolve));
    return answer(frame(++step));
  });
  return { asked, give: () => held.shift()?.() };
}

afterEach(() => vi.unstubAllGlobals());

describe("the session of the playground", () => {
  it("begins anew although a step asked for before the reset is answered after it", async () => {
    const server = slowServer();
    const play = new Play();
    await play.open(FIRST, "");
    const step = play.advance(1);
    const reset = play.reset();
    await vi.waitFor(() => expect(server.asked).toContain("advance"));
    expect(server.asked).not.toContain("reset");
    server.give();
    await Promise.all([step, reset]);
    expect(server.asked).toEqual(["sessions", "advance", "reset"]);
    expect(play.frame?.step).toBe(0);
    expect(play.losses).toEqual([]);
  });

  it("takes a step and a run that are pressed while a network is being opened as meant for that network", async () => {
    const server = slowServer();
    const play = new Play();
    await play.open(FIRST, "");
    const opening = play.open({ ...FIRST, seed: 2 }, "");
    const step = play.advance(1);
    expect(server.asked).toEqual(["sessions", "sessions"]); // the old one is asked for nothing
    await opening;
    await vi.waitFor(() => expect(server.asked).toContain("advance"));
    server.give();
    await step;
    expect(play.frame?.step).toBe(1);
    const again = play.open(FIRST, "");
    const run = play.run(2);
    expect(play.isRunning).toBe(true);
    await again;
    for (let waits = 0; waits < 2; waits += 1) {
      await vi.waitFor(() => expect(server.asked.filter((what) => what === "advance")).toHaveLength(2 + waits));
      server.give();
    }
    await run;
    expect(play.isRunning).toBe(false);
    expect(play.losses.length).toBeGreaterThan(0);
  });

  it("shows no fault of a step that the reset made void", async () => {
    const play = new Play();
    await play.open(FIRST, "").catch(() => undefined);
    slowServer();
    await play.open(FIRST, "");
    vi.stubGlobal("fetch", async (address: string) => (address.endsWith("reset") ? answer(frame(0)) : Promise.reject(new TypeError("lost"))));
    await Promise.all([play.advance(1), play.reset()]);
    expect(play.problem).toBeNull();
    expect(play.frame?.step).toBe(0);
  });
});
