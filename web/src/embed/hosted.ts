// What a figure needs to stand in somebody else's page: the style sheet for a shadow root, and whether it is dark there.

/** The style sheet of the app, turned from a whole page to the host of a shadow root. */
export function hosted(css: string): string {
  return css
    .replace(/html(\[[^\]]+\])\s+body\b/g, ":host($1)")
    .replace(/html(\[[^\]]+\])/g, ":host($1)")
    .replace(/:root(\[[^\]]+\])/g, ":host($1)")
    .replace(/:root\b/g, ":host")
    .replace(/(^|[},\s])(?:html|body)(?=\s*[{,])/g, "$1:host");
}

/** Whether the ground under an element is dark: the first opaque colour on the way up, white if there is none. */
export function isDarkAt(element: Element): boolean {
  for (let at: Element | null = element; at; at = at.parentElement) {
    const [red = 255, green = 255, blue = 255, opacity = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (opacity > 0.5 && getComputedStyle(at).backgroundColor !== "transparent" && getComputedStyle(at).backgroundColor !== "") return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 110;
  }
  return false;
}
