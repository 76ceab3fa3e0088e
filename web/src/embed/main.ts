// The chapters of Learn for pages without a server. Two lines of HTML show one:
//   <div data-kazami-chapter="descent" data-language="en"></div>
//   <script src="learn.js" defer></script>
import { mount as place, unmount } from "svelte";
import look from "../style.css?inline";
import { element as made } from "../core/component";
import type { Language } from "../core/language";
import { chapters as all } from "../learn/chapters";
import own from "./embed.css?inline";
import Embedded from "./Embedded.svelte";
import { hosted } from "./hosted";
import { Place, type Theme } from "./place.svelte";

export interface Wish {
  chapter: string;
  /** That of the page if it is Japanese, else English, where nothing is said. */
  language?: Language;
  /** `auto` follows the ground under the figure. */
  theme?: Theme;
  /** The whole chapter, or only its figure. */
  show?: "chapter" | "figure";
}

/** Names of the chapters, in their order. */
export const chapters: readonly string[] = all.map(({ text }) => text.name);

const sheet = hosted(look) + own;
const ofPage = (): Language => (document.documentElement.lang.startsWith("ja") ? "ja" : "en");

/** Put a chapter into an element of any page; `destroy` takes it out again. */
export function mount(element: HTMLElement, { chapter, language = ofPage(), theme = "auto", show = "chapter" }: Wish): { destroy(): void } {
  const host = made("div", { class: "kazami-learn", lang: language });
  const root = host.attachShadow({ mode: "open" });
  const stage = made("div", { class: show === "figure" ? "kazami" : "kazami whole" });
  root.append(made("style", {}, sheet), stage);
  element.replaceChildren(host);
  const found = all.find(({ text }) => text.name === chapter);
  if (!found) {
    stage.append(made("p", { class: "refused", role: "alert" }, `There is no chapter ${JSON.stringify(chapter)}. There are: ${chapters.join(", ")}.`));
    return { destroy: () => host.remove() };
  }
  const view = new Place(host, language, theme, show === "figure");
  const shown = place(Embedded, { target: stage, props: { view, ...found } });
  return {
    destroy(): void {
      void unmount(shown);
      view.leave();
      host.remove();
    },
  };
}

function mountAll(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-kazami-chapter]")) {
    if (element.dataset["kazamiMounted"]) continue;
    element.dataset["kazamiMounted"] = "yes";
    const { kazamiChapter: chapter = "", language, theme, show } = element.dataset as Record<string, string | undefined>;
    mount(element, {
      chapter,
      ...(language === "ja" || language === "en" ? { language } : {}),
      ...(theme === "light" || theme === "dark" ? { theme } : {}),
      ...(show === "figure" ? { show } : {}),
    });
  }
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
else mountAll();
