// A canvas that draws nothing, an observer that observes nothing: jsdom has neither.
const nothing = (): void => undefined;
const pen = new Proxy({} as Record<string, unknown>, {
  get: (known, name: string) => {
    if (name in known) return known[name];
    if (name === "measureText") return (text: string) => ({ width: 7 * text.length });
    if (name === "createPattern") return () => null;
    if (name === "getImageData") return () => ({ data: new Uint8ClampedArray(4) });
    return nothing;
  },
  set: (known, name: string, value: unknown) => { known[name] = value; return true; },
});
HTMLCanvasElement.prototype.getContext = (() => pen) as never;
HTMLCanvasElement.prototype.toDataURL = () => "data:image/png;base64,";
HTMLCanvasElement.prototype.toBlob = (then) => then(new Blob(["png"], { type: "image/png" }));
globalThis.ResizeObserver = class { observe = nothing; unobserve = nothing; disconnect = nothing; } as never;
globalThis.ImageData = class { data: Uint8ClampedArray; constructor(readonly width: number, readonly height: number) { this.data = new Uint8ClampedArray(4 * width * height); } } as never;
globalThis.Path2D = class { moveTo = nothing; lineTo = nothing; rect = nothing; arc = nothing; closePath = nothing; addPath = nothing; } as never;
window.matchMedia = ((query: string) => ({ matches: false, media: query, addEventListener: nothing, removeEventListener: nothing, addListener: nothing, removeListener: nothing })) as never;
