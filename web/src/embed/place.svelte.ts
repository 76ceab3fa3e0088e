// The language and the light of one mounted chapter; the light follows the page around it.
import type { Language } from "../core/language";
import type { View } from "../frame/view";
import { isDarkAt } from "./hosted";

export type Theme = "auto" | "light" | "dark";

export class Place implements View {
  isDark = $state(false);
  readonly #element: Element;
  readonly #theme: Theme;
  readonly #watcher: MutationObserver;
  readonly #system = matchMedia("(prefers-color-scheme: dark)");
  readonly #look = (): void => this.#apply();

  constructor(element: Element, readonly language: Language, theme: Theme, readonly isFigureOnly: boolean) {
    this.#element = element;
    this.#theme = theme;
    this.#watcher = new MutationObserver(this.#look);
    for (const one of [document.documentElement, document.body]) this.#watcher.observe(one, { attributes: true });
    this.#system.addEventListener("change", this.#look);
    this.#apply();
  }

  #apply(): void {
    this.isDark = this.#theme === "dark" || (this.#theme === "auto" && isDarkAt(this.#element.parentElement ?? document.body));
    this.#element.setAttribute("data-theme", this.isDark ? "dark" : "light");
  }

  leave(): void {
    this.#watcher.disconnect();
    this.#system.removeEventListener("change", this.#look);
  }
}
