// What a diagram says, in one sentence.
import { say, type Language } from "../core/language";
import { short } from "../core/numbers";
import type { Sentence } from "../wire";
import type { View } from "./store.svelte";
import words from "./words.json";

/** The sentence over a diagram: where it rests, doubles, becomes chaotic, is lost; or what there is most of. */
export function findingOf(view: View, letters: Record<string, Sentence>): Sentence {
  return { en: inLanguage(view, letters, "en"), ja: inLanguage(view, letters, "ja") };
}

function inLanguage(view: View, letters: Record<string, Sentence>, language: Language): string {
  if (!view.columns.length || view.isPreview) return say(words.diagram, language);
  const first = (kind: string): number | null => view.changes.find((change) => change.kind === kind)?.estimate ?? null;
  const [doubling, chaos, lost] = [first("doubling"), first("chaos"), first("lost")];
  const said: string[] = [];
  if (doubling !== null) said.push(say(words.say_doubling, language, { at: short(doubling) }));
  if (chaos !== null) said.push(say(words.say_chaos, language, { at: short(chaos) }));
  if (lost !== null) said.push(say(words.say_lost, language, { at: short(lost) }));
  if (said.length) {
    const text = said.join(language === "ja" ? "、" : ", ");
    return language === "en" ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  }
  const counts = new Map<string, number>();
  for (const { letter } of view.columns) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  const [letter, count] = [...counts].sort((one, other) => other[1] - one[1])[0]!;
  const what = letters[letter]?.[language] ?? letter;
  if (count === view.columns.length) return say(words.say_only, language, { what });
  return say(words.say_mixed, language, { what, share: Math.round((100 * count) / view.columns.length), low: short(view.low), high: short(view.high) });
}
