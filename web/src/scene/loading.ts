// The picture in three dimensions comes in a chunk of its own, and only when it is asked for.
export type Landscape = typeof import("./landscape");
export const loadLandscape = (): Promise<Landscape> => import("./landscape");
