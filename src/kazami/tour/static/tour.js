"use strict";
(() => {
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let theme = ["light", "dark"].includes(query.get("theme")) ? query.get("theme") : null;

  const paint = () => { root.dataset.theme = theme ?? (dark.matches ? "dark" : "light"); };

  function speak(language) {
    root.lang = language;
    for (const drawn of document.querySelectorAll("svg[data-en]")) drawn.setAttribute("aria-label", drawn.dataset[language]);
    for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
    for (const region of document.querySelectorAll("[data-region]")) region.setAttribute("aria-label", { en: "Table", ja: "表" }[language]);
  }

  paint();
  dark.addEventListener("change", paint);
  addEventListener("DOMContentLoaded", () => {
    speak(["en", "ja"].includes(query.get("lang")) ? query.get("lang") : root.lang);
    for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => speak(button.dataset.language));
    document.getElementById("theme").addEventListener("click", () => { theme = root.dataset.theme === "dark" ? "light" : "dark"; paint(); });
  });
})();
