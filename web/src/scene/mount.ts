// The picture of a loss surface: from above at once, in three dimensions as soon as it is seen and the chunk is there; without WebGL it stays flat and says so.
import { element, type Mount } from "../core/component";
import { HEIGHT, mountFlat } from "./flat";
import type { Solid } from "./landscape";
import { loadLandscape } from "./loading";
import type { Relief } from "./relief";

export interface ShownRelief extends Relief {
  /** Whether three dimensions are wished for. */
  isSolid: boolean;
  /** There are none to be had here. */
  onFlat: () => void;
}

export const mountRelief: Mount<ShownRelief> = (el, data, options) => {
  const [above, aside] = [element("div"), element("div")];
  el.append(above, aside);
  const flat = mountFlat(above, data, options);
  let current = data;
  let solid: Solid | null = null;
  let isLoading = false;
  let isSeen = false;
  let isGone = false;
  const drop = (): void => {
    solid?.destroy();
    solid = null;
    above.hidden = false;
  };
  const giveUp = (): void => {
    drop();
    if (!isGone) current.onFlat();
  };
  const settle = async (): Promise<void> => {
    if (!current.isSolid) return drop();
    if (solid) return solid.update(current);
    if (isLoading || !isSeen) return;
    isLoading = true;
    try {
      const { mountLandscape } = await loadLandscape();
      if (isGone || !current.isSolid) return;
      solid = mountLandscape(aside, current, options, HEIGHT, giveUp);
      above.hidden = solid !== null;
      if (!solid) giveUp();
    } catch {
      giveUp();
    } finally {
      isLoading = false;
    }
  };
  const stop = whenSeen(el, () => { isSeen = true; void settle(); });
  return {
    update(delta): void {
      current = { ...current, ...delta };
      flat.update(delta);
      void settle();
    },
    destroy(): void {
      isGone = true;
      stop();
      drop();
      flat.destroy();
      above.remove();
      aside.remove();
    },
    toPNG: () => (solid ? solid.toPNG() : flat.toPNG()),
    toSVG: () => flat.toSVG!(),
    toPython: () => flat.toPython!(),
    table: () => flat.table(),
  };
};

function whenSeen(el: HTMLElement, then: () => void): () => void {
  if (!("IntersectionObserver" in globalThis)) {
    then();
    return () => undefined;
  }
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    then();
  }, { rootMargin: "200px" });
  observer.observe(el);
  return () => observer.disconnect();
}
