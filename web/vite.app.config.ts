// The app: hashed chunks, no inline script, into the package.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { plain } from "./plugins/plain";
import { formulas } from "./plugins/formulas";

export default defineConfig({
  plugins: [svelte(), plain(), formulas(fileURLToPath(new URL("src/learn/texts", import.meta.url)))],
  base: "/",
  build: {
    outDir: "../src/kazami/app/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    reportCompressedSize: false,
  },
});
