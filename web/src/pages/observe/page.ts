import type { Page } from "../../frame/pages";

export const page: Page = { id: "observe", order: 1, key: "o", title: { en: "Observe", ja: "観測" }, load: () => import("./Observe.svelte") };
