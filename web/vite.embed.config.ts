// The chapters of Learn for pages without a server: one classic script, which opens from disk, and a second one for the surface in three dimensions.
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { formulas } from "./plugins/formulas";
import { plain } from "./plugins/plain";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  plugins: [svelte({ compilerOptions: { css: "injected" } }), plain(), formulas(here("src/learn/texts"))],
  resolve: { alias: [{ find: /^\.\/loading$/, replacement: here("src/embed/loading.ts") }] },
  build: {
    outDir: "../src/kazami/app/static/embed",
    emptyOutDir: mode !== "surface",
    target: "es2022",
    reportCompressedSize: false,
    lib:
      mode === "surface"
        ? { entry: "src/scene/landscape.ts", formats: ["iife"], name: "kazamiSurface", fileName: () => "learn-surface.js" }
        : { entry: "src/embed/main.ts", formats: ["iife"], name: "kazamiLearn", fileName: () => "learn.js" },
  },
}));
