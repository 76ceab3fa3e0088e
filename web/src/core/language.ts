import type { Sentence } from "../wire";

export type Language = "en" | "ja";
/** Texts of one folder: `words.json` beside what uses them, every key in both languages. */
export type Words = Record<string, Sentence>;

/** The text in a language, its braces filled in. */
export function say(sentence: Sentence, language: Language, values: Record<string, string | number> = {}): string {
  return sentence[language].replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** Parts of a text, names in back quotes told apart: [text, code, text, code, …]. */
export const prose = (text: string): string[] => text.split(/`([^`]+)`/);
