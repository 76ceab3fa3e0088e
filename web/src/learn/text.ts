import { say, type Words } from "../core/language";
import type { Sentence } from "../wire";

/** A chapter's texts; both languages stand side by side in one file of `texts/`. */
export interface ChapterText {
  number: number;
  name: string;
  title: Sentence;
  idea: Sentence[];
  formula: string;
  formula_words: Sentence;
  notice: Sentence;
  controls: Words;
  question: Sentence;
  answer: Sentence;
  experiment: { command: string; words: Sentence };
  says: Words;
}

/** A sentence with its braces filled in, in both languages. */
export function filled(sentence: Sentence, values: Record<string, string | number>): Sentence {
  return { en: say(sentence, "en", values), ja: say(sentence, "ja", values) };
}
