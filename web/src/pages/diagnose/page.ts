import type { Page } from "../../frame/pages";
import words from "../../diagnose/words.json";

export const page: Page = { id: "diagnose", order: 2, key: "d", title: words.title, load: () => import("./Diagnose.svelte") };
