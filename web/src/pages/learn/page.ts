import type { Page } from "../../frame/pages";
import words from "../../learn/words.json";

export const page: Page = { id: "learn", order: 5, key: "l", title: words.title, load: () => import("./Learn.svelte") };
