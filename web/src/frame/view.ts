// Language and light of the place where a piece stands: those of the whole page, or of one figure in somebody else's page.
import { getContext, setContext } from "svelte";
import type { Language } from "../core/language";

export interface View {
  readonly language: Language;
  readonly isDark: boolean;
  /** Only the figure of a chapter is shown, without its text. */
  readonly isFigureOnly?: boolean;
}

const PLACE = Symbol("view");

/** Say it for everything within the component that calls this. */
export const setView = (view: View): View => setContext(PLACE, view);
/** What was said around the component that calls this. */
export const getView = (): View => getContext<View>(PLACE);
