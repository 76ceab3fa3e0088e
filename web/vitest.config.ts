import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { formulas } from "./plugins/formulas";

export default defineConfig({
  plugins: [svelte(), formulas(fileURLToPath(new URL("src/learn/texts", import.meta.url)))],
  resolve: { conditions: ["browser"] },
  test: { environment: "jsdom", include: ["tests/**/*.test.ts"], setupFiles: ["tests/canvas.ts"] },
});
