// The report: one script and one style, which reports/html.py puts into the HTML file.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { plain } from "./plugins/plain";

export default defineConfig({
  plugins: [svelte(), plain()],
  build: {
    outDir: "../src/kazami/reports/static/built",
    emptyOutDir: true,
    target: "es2022",
    cssCodeSplit: false,
    reportCompressedSize: false,
    assetsInlineLimit: 1_000_000,
    lib: { entry: "src/report/main.ts", formats: ["iife"], name: "kazamiReport", fileName: () => "report.js", cssFileName: "report" },
  },
});
