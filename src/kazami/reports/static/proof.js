"use strict";
(() => {
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const COPIED = { en: "Copied", ja: "コピーしました" };
  let theme = ["light", "dark"].includes(query.get("theme")) ? query.get("theme") : null;

  const paint = () => { root.dataset.theme = theme ?? (dark.matches ? "dark" : "light"); };

  function speak(language) {
    root.lang = language;
    for (const spoken of document.querySelectorAll("[aria-label][data-en]")) spoken.setAttribute("aria-label", spoken.dataset[language]);
    for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page from disk may not have the clipboard
      const field = document.body.appendChild(document.createElement("textarea"));
      field.className = "unseen-by-eye";
      field.value = text;
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  }

  async function onCopy(button) {
    await copy(document.getElementById(button.dataset.copies).textContent);
    const words = [...button.querySelectorAll("[lang]")], before = words.map((word) => word.textContent);
    for (const word of words) word.textContent = COPIED[word.lang];
    setTimeout(() => words.forEach((word, at) => { word.textContent = before[at]; }), 1500);
  }

  paint();
  dark.addEventListener("change", paint);
  addEventListener("DOMContentLoaded", () => {
    speak(["en", "ja"].includes(query.get("lang")) ? query.get("lang") : root.lang);
    for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => speak(button.dataset.language));
    for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => onCopy(button), { passive: true });
    document.getElementById("theme").addEventListener("click", () => { theme = root.dataset.theme === "dark" ? "light" : "dark"; paint(); });
  });
})();
