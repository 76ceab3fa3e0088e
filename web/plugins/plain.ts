import type { Plugin } from "vite";

/** Svelte names its errors by the addresses of their explanations; a page that promises to ask no network should not even name one. */
export const plain = (): Plugin => ({
  name: "kazami-plain",
  renderChunk: (code) => ({ code: code.replaceAll("https://svelte.dev/e/", "svelte: "), map: null }),
});
