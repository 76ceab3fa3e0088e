// The chapters in their order: a text of `texts/`, and the component of the same name in this folder.
import type { Component } from "svelte";
import type { ChapterText } from "../text";

const texts = import.meta.glob<ChapterText>("../texts/*.json", { eager: true, import: "default" });
const components = import.meta.glob<Component<{ text: ChapterText }>>("./*.svelte", { eager: true, import: "default" });

const componentOf = (name: string): Component<{ text: ChapterText }> => {
  const found = components[`./${name.charAt(0).toUpperCase()}${name.slice(1)}.svelte`];
  if (!found) throw new Error(`The chapter ${name} has no component.`);
  return found;
};

export const chapters = Object.values(texts)
  .sort((one, other) => one.number - other.number)
  .map((text) => ({ text, component: componentOf(text.name) }));
