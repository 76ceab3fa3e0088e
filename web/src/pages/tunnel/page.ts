import type { Page } from "../../frame/pages";
import words from "../../tunnel/words.json";

export const page: Page = { id: "tunnel", order: 3, key: "t", title: words.title, load: () => import("./Tunnel.svelte") };
