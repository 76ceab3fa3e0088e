// In somebody else's page the picture in three dimensions is a second classic script beside the first: it opens from disk as well.
import type { Landscape } from "../scene/loading";

const own = (document.currentScript as HTMLScriptElement | null)?.src ?? "";
let loading: Promise<Landscape> | null = null;

export function loadLandscape(): Promise<Landscape> {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = own.replace(/learn\.js([?#].*)?$/, "learn-surface.js");
    script.onload = () => resolve((globalThis as unknown as { kazamiSurface: Landscape }).kazamiSurface);
    script.onerror = () => { loading = null; reject(new Error(`${script.src} is not there.`)); };
    document.head.append(script);
  });
  return loading;
}
