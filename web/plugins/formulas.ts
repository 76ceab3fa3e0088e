// Formulas of the chapters as MathML, made when the page is built: no script and no font of a formula reaches the reader.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import katex from "katex";
import type { Plugin } from "vite";

const NAME = "virtual:formulas";

export function formulas(folder: string): Plugin {
  return {
    name: "formulas",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : undefined),
    load(id) {
      if (id !== `\0${NAME}`) return undefined;
      const made: Record<string, string> = {};
      for (const file of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
        const { name, formula } = JSON.parse(readFileSync(join(folder, file), "utf8")) as { name: string; formula: string };
        made[name] = katex.renderToString(formula, { output: "mathml", displayMode: true, throwOnError: true });
      }
      return `export default ${JSON.stringify(made)};`;
    },
  };
}
