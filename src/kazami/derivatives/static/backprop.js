"use strict";
(() => {
  const root = document.documentElement;
  const query = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const PAUSE_BETWEEN = 2200; // ms; time to read a formula
  let theme = ["light", "dark"].includes(query.get("theme")) ? query.get("theme") : null;
  let place = 0, timer = null, steps = [], drawn = [];

  const paint = () => { root.dataset.theme = theme ?? (dark.matches ? "dark" : "light"); };
  paint();
  dark.addEventListener("change", paint);
  root.classList.add("live");

  function speak(language) {
    root.lang = language;
    for (const one of document.querySelectorAll("[data-en]")) one.setAttribute("aria-label", one.dataset[language]);
    for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
    namePlay();
  }

  function namePlay() {
    const button = document.querySelector('[data-go="play"]');
    const isOn = timer !== null;
    button.setAttribute("aria-label", isOn ? button.dataset[root.lang === "ja" ? "pauseJa" : "pauseEn"] : button.dataset[root.lang]);
    button.classList.toggle("is-on", isOn);
  }

  function show(next, isFirst = false) {
    place = Math.min(Math.max(next, 0), steps.length - 1);
    const step = steps[place], uses = new Set(step.dataset.uses.split(" "));
    steps.forEach((one, at) => { one.hidden = at !== place; });
    for (const one of drawn) {
      const at = Number(one.dataset.step);
      one.classList.toggle("is-later", at > place);
      one.classList.toggle("is-now", at === place);
      one.classList.toggle("is-used", uses.has(one.dataset.id));
    }
    document.getElementById("slider").value = place;
    document.getElementById("slider").setAttribute("aria-valuetext", `${place + 1} / ${steps.length}`);
    document.getElementById("place").textContent = `${place + 1} / ${steps.length}`;
    for (const button of document.querySelectorAll('[data-go="first"], [data-go="back"]')) button.disabled = place === 0;
    for (const button of document.querySelectorAll('[data-go="next"], [data-go="last"]')) button.disabled = place === steps.length - 1;
    follow(step.dataset.name, isFirst);
  }

  // Bring what is computed, and what it is computed from where that fits, to the middle of the window.
  function follow(name, isFirst) {
    const frame = document.querySelector(".window"), seen = frame.getBoundingClientRect();
    const boxes = [...frame.querySelectorAll(".node.is-now, .node.is-used")].filter((node) => node.getClientRects().length).map((node) => [node.dataset.id, node.getBoundingClientRect()]);
    const own = boxes.filter(([id]) => id === name).map(([, box]) => box);
    if (!own.length) return;
    const middle = (start, end, size) => {
      const low = Math.min(...boxes.map(([, box]) => box[start])), high = Math.max(...boxes.map(([, box]) => box[end]));
      return high - low < size - 20 ? (low + high) / 2 : (own[0][start] + own[0][end]) / 2;
    };
    const by = { left: middle("left", "right", seen.width) - seen.x - seen.width / 2, top: middle("top", "bottom", seen.height) - seen.y - seen.height / 2 };
    frame.scrollBy({ ...by, behavior: isFirst || calm.matches ? "instant" : "smooth" });
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    namePlay();
  }

  function play() {
    if (timer !== null) return stop();
    if (place === steps.length - 1) show(0);
    timer = setInterval(() => { show(place + 1); if (place === steps.length - 1) stop(); }, PAUSE_BETWEEN);
    namePlay();
  }

  const go = { first: () => 0, back: () => place - 1, next: () => place + 1, last: () => steps.length - 1 };
  const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };

  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.matches("input")) return;
    if (!(event.key in keys)) return;
    event.preventDefault();
    stop();
    show(go[keys[event.key]]());
  }

  addEventListener("DOMContentLoaded", () => {
    steps = [...document.querySelectorAll(".step")];
    drawn = [...document.querySelectorAll(".window [data-step]")];
    document.getElementById("steps").setAttribute("aria-live", "polite");
    speak(["en", "ja"].includes(query.get("lang")) ? query.get("lang") : root.lang);
    for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => speak(button.dataset.language));
    document.getElementById("theme").addEventListener("click", () => { theme = root.dataset.theme === "dark" ? "light" : "dark"; paint(); });
    for (const button of document.querySelectorAll("[data-go]")) {
      button.addEventListener("click", () => { if (button.dataset.go === "play") play(); else { stop(); show(go[button.dataset.go]()); } });
    }
    document.getElementById("slider").addEventListener("input", (event) => { stop(); show(Number(event.target.value)); });
    for (const one of drawn) if (Number(one.dataset.step) >= 0) one.addEventListener("click", () => { stop(); show(Number(one.dataset.step)); });
    addEventListener("keydown", press);
    addEventListener("resize", () => follow(steps[place].dataset.name, true));
    addEventListener("beforeprint", () => show(steps.length - 1, true));
    const asked = steps.findIndex((step) => `#${step.id}` === location.hash);
    show(Math.max(asked, 0), true);
  });
})();
