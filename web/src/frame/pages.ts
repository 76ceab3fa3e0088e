// The pages: every folder of src/pages with a page.ts is one; found by scanning.
import type { Component } from "svelte";
import type { Sentence } from "../wire";

export interface Page {
  /** Its name in the address. */
  id: string;
  /** Place in the row of tabs. */
  order: number;
  /** The key after g. */
  key: string;
  title: Sentence;
  /** Loaded when it is first opened. */
  load: () => Promise<{ default: Component }>;
}

const found = import.meta.glob<{ page: Page }>("../pages/*/page.ts", { eager: true });
export const pages: readonly Page[] = Object.values(found).map((module) => module.page).sort((one, other) => one.order - other.order);
