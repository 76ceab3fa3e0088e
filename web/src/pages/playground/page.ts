import type { Page } from "../../frame/pages";
import words from "../../playground/words.json";

export const page: Page = { id: "playground", order: 4, key: "p", title: words.title, load: () => import("./Playground.svelte") };
