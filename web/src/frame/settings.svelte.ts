// Language, theme and everything else that stands in the address: #/observe?run=…&lang=ja&theme=dark
import { flushSync } from "svelte";
import type { Language } from "../core/language";

type Theme = "light" | "dark";

const darkness = matchMedia("(prefers-color-scheme: dark)");

function read(): { page: string; query: URLSearchParams } {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  return { page: decodeURIComponent(path ?? ""), query: new URLSearchParams(query ?? "") };
}

const start = read();
const outer = new URLSearchParams(location.search);
const asked = (name: string): string | null => start.query.get(name) ?? outer.get(name);
const isLanguage = (value: string | null): value is Language => value === "en" || value === "ja";
const isTheme = (value: string | null): value is Theme => value === "light" || value === "dark";

function firstLanguage(): Language {
  const wish = asked("lang");
  if (isLanguage(wish)) return wish;
  if (document.getElementById("kazami-data")) return document.documentElement.lang === "ja" ? "ja" : "en"; // a report was written for somebody
  const stored = remembered("kazami-lang");
  if (isLanguage(stored)) return stored;
  return navigator.language.startsWith("ja") ? "ja" : "en";
}

function remembered(name: string): string | null {
  try { return localStorage.getItem(name); } catch { return null; }
}

function remember(name: string, value: string): void {
  try { localStorage.setItem(name, value); } catch { /* a page from disk may have no storage */ }
}

class Settings {
  language = $state<Language>(firstLanguage());
  wish = $state<Theme | null>(isTheme(asked("theme")) ? (asked("theme") as Theme) : isTheme(remembered("kazami-theme")) ? (remembered("kazami-theme") as Theme) : null);
  isSystemDark = $state(darkness.matches);
  isPrinting = $state(false);
  page = $state(start.page);
  query = $state<Record<string, string>>(Object.fromEntries(start.query));

  get isDark(): boolean {
    return !this.isPrinting && (this.wish ?? (this.isSystemDark ? "dark" : "light")) === "dark";
  }

  /** Say language and darkness to the style sheet, before anything is drawn with them. */
  apply(): void {
    document.documentElement.lang = this.language;
    document.documentElement.dataset["theme"] = this.isDark ? "dark" : "light";
  }

  setLanguage(language: Language): void {
    this.language = language;
    this.apply();
    remember("kazami-lang", language);
    if (this.query["lang"]) this.put({ lang: language });
  }

  setTheme(theme: Theme): void {
    this.wish = theme;
    this.apply();
    remember("kazami-theme", theme);
    if (this.query["theme"]) this.put({ theme });
  }

  /** Go to a page; what else stands in the address stays. */
  go(page: string, query: Record<string, string | null> = {}): void {
    this.page = page;
    this.put(query, true);
  }

  /** Put names into the address, `null` removes one. */
  put(query: Record<string, string | null>, isNew = false): void {
    const next = { ...this.query };
    for (const [name, value] of Object.entries(query)) {
      if (value === null) delete next[name];
      else next[name] = value;
    }
    this.query = next;
    const text = new URLSearchParams(next).toString();
    const hash = `#/${this.page}${text ? `?${text}` : ""}`;
    if (hash === location.hash) return;
    if (isNew) history.pushState(null, "", hash);
    else history.replaceState(null, "", hash);
  }
}

export const settings = new Settings();
settings.apply();

darkness.addEventListener("change", (event) => { settings.isSystemDark = event.matches; settings.apply(); });
function onPrint(isPrinting: boolean): void {
  settings.isPrinting = isPrinting;
  settings.apply();
  flushSync(); // the pictures are drawn for paper before the browser looks
}
addEventListener("beforeprint", () => onPrint(true));
addEventListener("afterprint", () => onPrint(false));
function onAddress(): void {
  const { page, query } = read();
  settings.page = page;
  settings.query = Object.fromEntries(query);
  const [language, theme] = [query.get("lang"), query.get("theme")];
  if (isLanguage(language)) settings.language = language;
  if (isTheme(theme)) settings.wish = theme;
  settings.apply();
}
addEventListener("hashchange", onAddress);
addEventListener("popstate", onAddress);
