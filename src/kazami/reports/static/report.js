"use strict";
(() => {
  const data = JSON.parse(document.getElementById("kazami-data").textContent);
  const { view } = data;
  const query = new URLSearchParams(location.search);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const state = { language: document.documentElement.lang, theme: null, isPrinting: false, scale: null, step: null, row: null, sort: null };
  if (["en", "ja"].includes(query.get("lang"))) state.language = query.get("lang");
  if (["light", "dark"].includes(query.get("theme"))) state.theme = query.get("theme");

  // ---- words, numbers, elements. Strings reach the page as text nodes only.
  const $ = (id) => document.getElementById(id);
  const words = (key, values = {}) => view.words[key][state.language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const say = (sentence) => sentence[state.language];
  const number = (value) => (value === null || value === undefined ? NaN : Number(value)); // "NaN" and "Infinity" are strings in strict JSON
  const list = (values) => values.map(number);

  function short(value) {
    if (Number.isNaN(value)) return "NaN";
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    if (value === 0) return "0";
    const size = Math.abs(value);
    const isSmall = size < 1e-3 || size >= 1e5;
    const text = isSmall ? value.toExponential(2) : value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size))));
    const trimmed = Number(text) === value ? text.replace(/\.?0+(?=e|$)/, (zeros) => (text.includes(".") ? "" : zeros)) : text;
    return trimmed.replace("e+", "e");
  }

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  const prose = (text) => text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? element("code", {}, part) : part)); // names stand in back quotes

  function drawn(tag, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // ---- colours: the same stops as in Python
  const isDark = () => !state.isPrinting && (state.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const theme = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const parts = (code) => [1, 3, 5].map((at) => parseInt(code.slice(at, at + 2), 16));
  const isLost = (wind) => wind === Infinity;

  function colourScale() {
    const stops = view.palette[isDark() ? "dark" : "light"].map(([place, code]) => [place, parts(code)]);
    return (wind) => {
      if (isLost(wind)) return parts(theme("nan"));
      if (Number.isNaN(wind)) return parts(theme("card"));
      const above = stops.findIndex(([place]) => place > wind);
      if (above < 0) return stops.at(-1)[1];
      if (above === 0) return stops[0][1];
      const [[from, one], [to, other]] = [stops[above - 1], stops[above]];
      return one.map((part, at) => Math.round(part + ((other[at] - part) * (wind - from)) / (to - from)));
    };
  }

  function readable([red, green, blue]) { // black or white, whichever stands out more
    const linear = [red, green, blue].map((part) => ((part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] > 0.18 ? "#17222c" : "#ffffff";
  }

  function letter(wind) {
    if (Number.isNaN(wind)) return "–";
    if (isLost(wind)) return "N";
    const [low, high] = view.palette.healthy;
    return wind < low ? "C" : wind > high ? "S" : "B";
  }

  const LETTER_WORDS = { C: "letter_calm", B: "letter_breeze", S: "letter_storm", N: "letter_nan", "–": "letter_unseen" };
  const middle = (view.palette.healthy[0] + view.palette.healthy[1]) / 2;
  const weight = (wind) => (Number.isNaN(wind) ? -1 : isLost(wind) ? Infinity : wind === -Infinity ? 1e300 : Math.abs(wind - middle));

  // ---- the numbers of the pictures; a layer that was not seen at a step holds its value
  const map = view.map;
  map.now = list(map.now ?? []);
  map.wind = (map.wind ?? []).map((row) => hold(list(row)));
  for (const name of ["norm", "norm_low", "wind_low", "wind_high"]) if (map[name]) map[name] = map[name].map((row) => hold(list(row)));
  const loss = view.loss;
  for (const name of ["low", "high"]) if (loss[name]) loss[name] = list(loss[name]);
  const steps = map.steps.length ? map.steps : loss.steps;
  const first = Math.min(map.steps[0] ?? Infinity, loss.steps[0] ?? Infinity, Math.max(1, view.last_step));
  const last = Math.max(map.steps.at(-1) ?? 0, loss.steps.at(-1) ?? 0, view.last_step, first);
  const flags = [];
  view.findings.forEach((finding, at) => {
    const step = Math.min(Math.max(finding.step, first), last);
    const same = flags.find((flag) => flag.step === step);
    if (same) same.numbers.push(at + 1);
    else flags.push({ step, numbers: [at + 1], severity: finding.severity });
  });

  function hold(row) {
    for (let at = 1; at < row.length; at += 1) if (Number.isNaN(row[at])) row[at] = row[at - 1];
    return row;
  }

  function columnAt(places, step) { // the last column that begins at or before the step; -1 before the first
    let [low, high] = [0, places.length];
    while (low < high) {
      const half = (low + high) >> 1;
      if (places[half] <= step) low = half + 1;
      else high = half;
    }
    return low - 1;
  }

  function ticks(from, to, count) {
    if (to <= from) return [from];
    const rough = Math.max((to - from) / count, 1e-300);
    const power = 10 ** Math.floor(Math.log10(rough));
    const unit = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
    const result = [];
    for (let at = Math.ceil(from / unit); at * unit <= to; at += 1) result.push(at * unit);
    return result;
  }

  // ---- one horizontal axis for both pictures
  const frame = { width: 0, left: 0, right: 30, top: 22, bottom: 26 };
  const across = (step) => frame.left + ((step - first) / (last + 1 - first)) * (frame.width - frame.left - frame.right);
  const stepAt = (x) => Math.min(last, Math.max(first, Math.floor(first + ((x - frame.left) / (frame.width - frame.left - frame.right)) * (last + 1 - first))));

  function stepTicks() {
    const wanted = ticks(first, last, Math.max(2, (frame.width - frame.left) / 110)).filter((step) => Number.isInteger(step));
    const all = [first, ...wanted.filter((step) => across(step) - across(first) > 44 && across(last) - across(step) > 44), last];
    return [...new Set(all)];
  }

  function measureFrame() {
    frame.width = $("map-section").clientWidth - 2 * parseFloat(getComputedStyle($("map-section")).paddingLeft);
    const pen = $("map").getContext("2d");
    pen.font = font();
    const widest = Math.max(40, ...(map.names ?? []).map((name) => pen.measureText(name).width));
    frame.left = Math.ceil(Math.min(widest + 12, frame.width * 0.26, 190));
  }

  const shared = (map.names ?? []).reduce((one, other) => { // what all names begin with, up to a point
    let length = one.length;
    while (length && !(other.startsWith(one.slice(0, length)) && one[length - 1] === ".")) length -= 1;
    return one.slice(0, length);
  }, map.names?.[0] ?? "");

  const font = (bold = false) => `${bold ? "700 " : ""}12px ${getComputedStyle(document.body).fontFamily}`;

  function fitting(pen, text, room) { // the end of a path tells more than its beginning
    if (pen.measureText(text).width <= room) return text;
    let cut = text.startsWith(shared) ? text.slice(shared.length) : text;
    if (pen.measureText(`…${cut}`).width <= room) return `…${cut}`;
    while (cut.length > 1 && pen.measureText(`…${cut}`).width > room) cut = cut.slice(1);
    return `…${cut}`;
  }

  // ---- the weather map
  const rowHeight = () => Math.max(6, Math.min(26, map.names.length < 4 ? 34 : Math.floor(440 / map.names.length)));
  const rowTop = (row) => frame.top + (map.names.length - 1 - row) * rowHeight(); // the input layer at the bottom

  function prepare(canvas, height) {
    const ratio = Math.min(devicePixelRatio || 1, 3);
    canvas.width = Math.round(frame.width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = font();
    pen.textBaseline = "middle";
    return pen;
  }

  function pixels() { // one value a row and CSS pixel: the most remarkable of the columns that fall into it
    const width = Math.max(1, Math.floor(frame.width - frame.left - frame.right));
    const bounds = Array.from({ length: width + 1 }, (_, x) => first + (x / width) * (last + 1 - first));
    return map.wind.map((row) => Array.from({ length: width }, (_, x) => {
      const from = columnAt(map.steps, bounds[x]);
      const to = columnAt(map.steps, bounds[x + 1] - 1e-9);
      let found = from < 0 ? NaN : row[from];
      for (let at = from + 1; at <= to; at += 1) if (weight(row[at]) > weight(found)) found = row[at];
      return found;
    }));
  }

  function drawMap() {
    const height = frame.top + map.names.length * rowHeight() + frame.bottom;
    const pen = prepare($("map"), height);
    const cells = pixels();
    const colour = colourScale();
    const image = new ImageData(cells[0].length, cells.length);
    cells.forEach((row, at) => row.forEach((wind, x) => image.data.set([...colour(wind), 255], 4 * ((cells.length - 1 - at) * row.length + x))));
    const small = element("canvas", { width: image.width, height: image.height });
    small.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, frame.left, frame.top, image.width, map.names.length * rowHeight());
    const runs = blocks(cells);
    texture(pen, cells, isLost, 8, (brush) => {
      for (const shift of [-8, 0, 8]) {
        brush.moveTo(shift - 2, 10);
        brush.lineTo(shift + 10, -2);
      }
      brush.strokeStyle = theme("nan");
      brush.lineWidth = 3;
      brush.stroke();
    });
    texture(pen, cells, Number.isNaN, 6, (brush) => {
      brush.fillStyle = theme("muted");
      brush.fillRect(2, 2, 1.5, 1.5);
    });
    runs.forEach((run) => drawLetter(pen, run, colour));
    drawMapLabels(pen, height);
    drawFlags(pen);
    prepare($("map-cross"), height);
  }

  function groups() { // rows shared out evenly among the labels there is room for
    const count = Math.max(1, Math.min(map.names.length, Math.floor((map.names.length * rowHeight()) / 15)));
    const bounds = Array.from({ length: count + 1 }, (_, at) => Math.round((at * map.names.length) / count));
    return bounds.slice(0, -1).map((row, at) => ({ row, size: bounds[at + 1] - row }));
  }

  const BLOCK = 40; // CSS pixels

  function typical(winds) { // the median; NaN where most were not seen
    const sorted = winds.filter((wind) => !Number.isNaN(wind)).sort((one, other) => one - other);
    return sorted.length * 2 < winds.length ? NaN : sorted[sorted.length >> 1];
  }

  const isOnBorder = (wind) => view.palette.healthy.some((border) => Math.abs(wind - border) < 0.3);

  function blocks(cells) { // where a new letter begins, coarsely, so that a layer on the border does not flicker; a block is named once, at its top left
    const found = [];
    for (const { row, size } of groups()) {
      let run = null;
      for (let x = 0; x + BLOCK / 2 < cells[0].length; x += BLOCK) {
        const wind = typical(cells.slice(row, row + size).flatMap((one) => one.slice(x, x + BLOCK)));
        if (run && (run.letter === letter(wind) || isOnBorder(wind))) continue;
        const inside = cells[row].slice(x, x + BLOCK).findIndex((one) => letter(one) === letter(wind));
        found.push((run = { row, size, letter: letter(wind), wind, start: x + Math.max(0, inside) }));
      }
    }
    const isBelow = (run) => found.some((other) => other.row === run.row + run.size && other.letter === run.letter && Math.abs(other.start - run.start) <= BLOCK);
    return found.filter((run) => run.letter !== "–" && !isBelow(run));
  }

  function drawLetter(pen, run, colour) {
    const y = rowTop(run.row + run.size - 1) + (run.size * rowHeight()) / 2;
    const x = frame.left + run.start + 8;
    pen.font = font(true);
    pen.textAlign = "left";
    if (run.letter === "N") {
      const width = pen.measureText("NaN").width;
      pen.fillStyle = theme("card");
      pen.fillRect(x - 4, y - 9, width + 8, 18);
      pen.fillStyle = theme("nan");
      pen.fillText("NaN", x, y + 1);
    } else {
      const ink = readable(colour(run.wind));
      pen.strokeStyle = ink === "#ffffff" ? "rgb(0 0 0 / 45%)" : "rgb(255 255 255 / 55%)";
      pen.lineWidth = 3;
      pen.strokeText(run.letter, x, y + 1);
      pen.fillStyle = ink;
      pen.fillText(run.letter, x, y + 1);
    }
  }

  function texture(pen, cells, isMeant, size, drawTile) {
    if (!cells.some((row) => row.some(isMeant))) return;
    const tile = element("canvas", { width: size, height: size });
    const brush = tile.getContext("2d");
    brush.fillStyle = theme("card");
    brush.fillRect(0, 0, size, size);
    drawTile(brush);
    pen.fillStyle = pen.createPattern(tile, "repeat");
    cells.forEach((row, at) => {
      for (let x = 0; x < row.length; x += 1) {
        const start = x;
        while (x < row.length && isMeant(row[x])) x += 1;
        if (x > start) pen.fillRect(frame.left + start, rowTop(at), Math.max(x - start, 2), rowHeight());
      }
    });
  }

  function drawMapLabels(pen, height) {
    const colour = colourScale();
    for (const { row, size } of groups()) {
      const y = rowTop(row + size - 1) + (size * rowHeight()) / 2;
      pen.font = font();
      pen.textAlign = "right";
      pen.fillStyle = theme("ink");
      pen.fillText(fitting(pen, map.names[row], frame.left - 10), frame.left - 8, y + 1);
      const now = map.now.slice(row, row + size).reduce((one, other) => (weight(other) > weight(one) ? other : one));
      drawEnd(pen, now, frame.width - frame.right + 6, y, colour);
    }
    pen.fillStyle = theme("muted");
    for (const step of stepTicks()) {
      const x = across(step + 0.5);
      pen.fillRect(x - 0.5, height - frame.bottom, 1, 4);
      pen.textAlign = step === first ? "left" : step === last && first !== last ? "right" : "center";
      pen.font = font();
      pen.fillText(step === first ? `${words("step")} ${step}` : String(step), step === first ? frame.left : Math.min(x, frame.width - frame.right), height - 11);
    }
  }

  function drawEnd(pen, wind, x, y, colour) {
    const high = Math.min(18, Math.max(13, rowHeight()));
    const paint = colour(wind);
    pen.fillStyle = isLost(wind) ? theme("card") : `rgb(${paint})`; // NaN is hatched beside it
    pen.beginPath();
    pen.roundRect(x, y - high / 2 + 0.5, 20, high - 1, 3);
    pen.fill();
    pen.fillStyle = isLost(wind) ? theme("nan") : Number.isNaN(wind) ? theme("muted") : readable(paint);
    pen.font = font(true);
    pen.textAlign = "center";
    pen.fillText(letter(wind), x + 10, y + 1);
  }

  function drawFlags(pen) {
    for (const flag of flags) {
      const x = across(flag.step);
      pen.strokeStyle = pen.fillStyle = theme("ink");
      pen.setLineDash([2, 3]);
      pen.beginPath();
      pen.moveTo(x, frame.top - 4);
      pen.lineTo(x, frame.top + map.names.length * rowHeight());
      pen.stroke();
      pen.setLineDash([]);
      pen.font = font(true);
      const text = flag.numbers.join(" ");
      const width = pen.measureText(text).width + 10;
      const start = Math.min(x, frame.width - width);
      pen.beginPath();
      pen.roundRect(start, 1, width, 17, 3);
      pen.fill();
      pen.fillStyle = theme("card");
      pen.textAlign = "center";
      pen.fillText(text, start + width / 2, 10);
    }
  }

  // ---- the cross-hair, one for both pictures
  function drawCross(isShown) {
    const at = state.step === null ? -1 : columnAt(map.steps, state.step);
    if (map.names && map.wind.length) {
      const pen = prepare($("map-cross"), frame.top + map.names.length * rowHeight() + frame.bottom);
      if (isShown) drawCrossOnMap(pen, at);
    }
    drawCrossOnLoss(isShown);
    $("tip").hidden = !isShown || at < 0 || state.row === null;
    if (!$("tip").hidden) fillTip(at);
    if (isShown) $("reading").textContent = reading(at);
  }

  function drawCrossOnMap(pen, at) {
    const x = across(state.step + 0.5);
    pen.strokeStyle = theme("card");
    pen.lineWidth = 4;
    line(pen, x, frame.top, x, rowTop(0) + rowHeight());
    pen.strokeStyle = theme("ink");
    pen.lineWidth = 1.5;
    line(pen, x, frame.top, x, rowTop(0) + rowHeight());
    if (state.row === null || at < 0) return;
    for (const [ink, width] of [[theme("card"), 4], [theme("ink"), 1.5]]) { // two inks, so that it shows on every colour
      pen.strokeStyle = ink;
      pen.lineWidth = width;
      pen.strokeRect(frame.left, rowTop(state.row), frame.width - frame.left - frame.right, rowHeight());
    }
    pen.fillStyle = theme("card");
    const y = rowTop(state.row) + rowHeight() / 2;
    pen.fillRect(0, y - 9, frame.left - 2, 18);
    pen.fillStyle = theme("accent");
    pen.font = font(true);
    pen.textAlign = "right";
    pen.fillText(fitting(pen, map.names[state.row], frame.left - 10), frame.left - 8, y + 1);
  }

  function line(pen, x, y, toX, toY) {
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(toX, toY);
    pen.stroke();
  }

  function reading(at) {
    const text = [`${words("step")} ${state.step}`];
    const place = columnAt(loss.steps, state.step);
    if (place >= 0) text.push(`${words("loss")} ${lossAt(place)}`);
    if (at >= 0 && state.row !== null) text.push(map.names[state.row], windText(at), `${words("gradient_norm")} ${normText(at)}`);
    return text.join(", ");
  }

  function windText(at) {
    const wind = map.wind[state.row][at];
    if (Number.isNaN(wind)) return words("unseen");
    if (isLost(wind)) return words("not_finite");
    const range = map.wind_low && map.wind_low[state.row][at] !== map.wind_high[state.row][at];
    const text = range ? words("wind_range", { low: short(map.wind_low[state.row][at]), high: short(map.wind_high[state.row][at]) }) : `${words("wind")} ${short(wind)}`;
    return `${text} (${words(LETTER_WORDS[letter(wind)])})`;
  }

  function normText(at) {
    const [norm, low] = [map.norm[state.row][at], (map.norm_low ?? map.norm)[state.row][at]];
    if (isLost(map.wind[state.row][at]) && Number.isNaN(norm)) return words("not_finite");
    if (Number.isNaN(norm)) return "–";
    if (norm === 0) return words("exactly_zero");
    return low === norm ? short(norm) : `${short(low)} … ${short(norm)}`;
  }

  function fillTip(at) {
    const tip = $("tip");
    const lines = [windText(at), `${words("gradient_norm")} ${normText(at)}`];
    if (map.steps[at] !== state.step) lines.push(words("held", { n: map.steps[at] }));
    tip.replaceChildren(element("b", {}, `${map.names[state.row]} · ${words("step")} ${state.step}`), ...lines.map((text) => element("div", {}, text)));
    const x = across(state.step + 0.5);
    const isLeft = x > frame.width / 2;
    tip.style.left = isLeft ? "" : `${x + 12}px`;
    tip.style.right = isLeft ? `${frame.width - x + 12}px` : "";
    tip.style.top = `${Math.max(0, Math.min(rowTop(state.row) - 20, rowTop(0) - 60))}px`;
  }

  function moveTo(step, row) {
    state.step = Math.min(last, Math.max(first, step));
    if (map.names) state.row = row === null ? state.row : Math.min(map.names.length - 1, Math.max(0, row));
    drawCross(true);
  }

  function onKey(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const climb = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const end = { Home: 0, End: steps.length - 1 }[event.key];
    if (event.key === "Escape") return drawCross(false);
    if ((move ?? climb ?? end) === undefined || !steps.length) return undefined;
    event.preventDefault();
    if (state.step === null) return moveTo(last, worstRow());
    if (end !== undefined) return moveTo(steps[end], null);
    if (climb) return moveTo(state.step, (state.row ?? worstRow()) + climb);
    const at = columnAt(steps, state.step) + move * (event.shiftKey ? 10 : 1);
    return moveTo(steps[Math.min(steps.length - 1, Math.max(0, at))], null);
  }

  const worstRow = () => map.wind.reduce((worst, row, at) => (weight(row.at(-1)) > weight(map.wind[worst].at(-1)) ? at : worst), 0);

  function onMap(event) {
    if (!map.names) return;
    const box = $("map-stage").getBoundingClientRect();
    moveTo(stepAt(event.clientX - box.left), map.names.length - 1 - Math.floor((event.clientY - box.top - frame.top) / rowHeight()));
  }

  function listen() {
    for (const [node, onMove] of [[$("map-stage"), onMap], [$("loss-figure"), (event) => moveTo(stepAt(event.clientX - $("loss-figure").getBoundingClientRect().left), null)]]) {
      node.addEventListener("pointermove", onMove);
      node.addEventListener("pointerdown", onMove);
      node.addEventListener("pointerleave", () => drawCross(false));
      node.addEventListener("keydown", onKey);
      node.addEventListener("blur", () => drawCross(false));
    }
  }

  // ---- the loss
  const LOSS_HEIGHT = 250;
  const heldOut = loss.validation ?? { steps: [], values: [] };
  const finite = loss.steps.length ? [...loss.low, ...loss.high, ...heldOut.values].filter(Number.isFinite) : [];
  const canBeLog = finite.length > 0 && Math.min(...finite) > 0;
  state.scale = canBeLog && Math.max(...finite) > 10 * Math.min(...finite) ? "log" : "linear";

  function lossRange() {
    const values = loss.trivial > 0 || state.scale === "linear" ? [...finite, loss.trivial ?? finite[0]] : finite;
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (state.scale === "linear" && low >= 0) low = 0; // a loss that stands still should look like it
    const bend = state.scale === "log" ? Math.log10 : (value) => value;
    if (low === high) [low, high] = low > 0 ? [low / 1.2, high * 1.2] : [low - 1, high + 1];
    const pad = (bend(high) - bend(low)) * 0.06;
    const [from, to] = [bend(low) - (low === 0 ? 0 : pad), bend(high) + pad];
    return { from, to, y: (value) => frame.top + 4 + (1 - (bend(value) - from) / (to - from)) * (LOSS_HEIGHT - frame.top - frame.bottom - 8) };
  }

  function lossTicks({ from, to }) {
    if (state.scale === "linear") return ticks(from, to, 5);
    if (to - from < 1.2) return ticks(10 ** from, 10 ** to, 4).filter((value) => value > 0);
    const stride = Math.ceil((to - from) / 6);
    const marks = to - from < 2.6 ? [1, 2, 5] : [1];
    const found = [];
    for (let power = Math.floor(from); power <= to; power += 1) if (power % stride === 0) found.push(...marks.map((mark) => Number(`${mark}e${power}`)));
    return found.filter((value) => Math.log10(value) >= from && Math.log10(value) <= to);
  }

  function drawLoss() {
    const holder = $("loss-figure");
    const svg = drawn("svg", { viewBox: `0 0 ${frame.width} ${LOSS_HEIGHT}`, height: LOSS_HEIGHT, "aria-hidden": "true" });
    holder.replaceChildren(svg);
    const floor = LOSS_HEIGHT - frame.bottom;
    if (finite.length) drawCurve(svg, lossRange());
    svg.append(drawn("line", { x1: frame.left, x2: frame.width - frame.right, y1: floor, y2: floor, stroke: theme("muted") }));
    for (const step of stepTicks()) {
      const anchor = step === first ? "start" : step === last && first !== last ? "end" : "middle";
      const x = step === first ? frame.left : Math.min(across(step + 0.5), frame.width - frame.right);
      svg.append(drawn("text", { x, y: LOSS_HEIGHT - 7, "text-anchor": anchor }, step === first ? `${words("step")} ${step}` : String(step)));
    }
    drawLost(svg, floor);
    for (const flag of flags) drawLossFlag(svg, flag, floor);
    svg.append(drawn("g", { id: "loss-cross" }));
    drawCrossOnLoss(false);
  }

  function drawCurve(svg, range) {
    const [start, end] = [frame.left, frame.width - frame.right];
    for (const value of lossTicks(range)) {
      svg.append(drawn("line", { x1: start, x2: end, y1: range.y(value), y2: range.y(value), stroke: theme("line") }));
      svg.append(drawn("text", { x: start - 8, y: range.y(value) + 4, "text-anchor": "end" }, short(value)));
    }
    const isNoisy = loss.steps.length >= 60;
    svg.append(path(range, loss.low, loss.high, isNoisy ? { "stroke-width": 1, opacity: 0.4 } : { "stroke-width": 2 }));
    if (isNoisy) svg.append(path(range, smooth(), smooth(), { "stroke-width": 2 }));
    if (loss.trivial !== null && (loss.trivial > 0 || state.scale === "linear")) drawTrivial(svg, range, start, end);
    if (heldOut.steps.length) drawHeldOut(svg, range);
    if (loss.steps.length === 1) svg.append(drawn("circle", { cx: across(first + 0.5), cy: range.y(loss.low[0]), r: 4, fill: theme("loss") }));
  }

  function drawHeldOut(svg, range) {
    const points = heldOut.steps.map((step, at) => [across(step + 0.5), range.y(heldOut.values[at])]);
    const line = points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
    svg.append(drawn("path", { d: line, fill: "none", stroke: theme("warning"), "stroke-width": 2, "stroke-dasharray": "2 4", "stroke-linecap": "round", class: "held-out" }));
    if (points.length <= 60) for (const [cx, cy] of points) svg.append(drawn("circle", { cx, cy, r: 2.5, fill: theme("warning") }));
    const [x, y] = points.at(-1);
    const text = drawn("text", { x: Math.min(x, frame.width - frame.right - 4), y: y - 8, "text-anchor": "end" }, words("validation_line"));
    Object.assign(text.style, { fill: theme("warning"), paintOrder: "stroke", stroke: theme("card"), strokeWidth: "4px" });
    svg.append(text);
  }

  function drawTrivial(svg, range, start, end) {
    const y = range.y(loss.trivial);
    svg.append(drawn("line", { x1: start, x2: end, y1: y, y2: y, stroke: theme("ink"), "stroke-width": 1.5, "stroke-dasharray": "7 5" }));
    const text = drawn("text", { x: end - 4, y: y - 6, "text-anchor": "end", class: "trivial" }, words("trivial_line", { value: short(loss.trivial) }));
    Object.assign(text.style, { fill: theme("ink"), paintOrder: "stroke", stroke: theme("card"), strokeWidth: "4px" });
    svg.append(text);
  }

  function path(range, low, high, attributes) {
    let line = "";
    let pen = "M";
    loss.steps.forEach((step, at) => {
      const isGap = !Number.isFinite(low[at]);
      if (!isGap) line += `${pen}${across(step + 0.5).toFixed(1)} ${range.y(low[at]).toFixed(1)}`;
      if (!isGap && high[at] !== low[at]) line += `L${across(step + 0.5).toFixed(1)} ${range.y(high[at]).toFixed(1)}`;
      pen = isGap ? "M" : "L";
    });
    return drawn("path", { d: line, fill: "none", stroke: theme("loss"), "stroke-linejoin": "round", ...attributes });
  }

  function smooth() { // a running median: it keeps steps and does not smear a spike
    const reach = Math.max(1, Math.round(loss.steps.length / 120));
    const centre = loss.low.map((low, at) => (low + loss.high[at]) / 2);
    return centre.map((value, at) => {
      const near = centre.slice(Math.max(0, at - reach), at + reach + 1).filter(Number.isFinite).sort((one, other) => one - other);
      return Number.isFinite(value) ? near[near.length >> 1] : NaN;
    });
  }

  function drawLost(svg, floor) {
    let before = -Infinity;
    for (const step of loss.lost ?? []) {
      const x = across(step + 0.5);
      if (x - before < 13) continue;
      const style = { stroke: theme("nan"), "stroke-width": 2.5, d: `M${x - 5} ${floor - 5}l10 10m0 -10l-10 10`, class: "lost" };
      svg.append(drawn("path", style));
      if (before === -Infinity) {
        const isLeft = x > frame.width - 90;
        const text = drawn("text", { x: isLeft ? x - 10 : x + 1, y: floor - 11, "text-anchor": isLeft ? "end" : "start" }, "NaN / ∞");
        text.style.fill = theme("nan");
        text.style.fontWeight = "700";
        svg.append(text);
      }
      before = x;
    }
  }

  function drawLossFlag(svg, flag, floor) {
    const x = across(flag.step);
    const text = flag.numbers.join(" ");
    const width = 10 + text.length * 7;
    const start = Math.min(x, frame.width - width);
    const title = flag.numbers.map((n) => words("flag", { n, step: view.findings[n - 1].step })).join("; ");
    const label = drawn("text", { x: start + width / 2, y: 14, "text-anchor": "middle" }, text);
    Object.assign(label.style, { fill: theme("card"), fontWeight: "700" });
    const lineStyle = { x1: x, x2: x, y1: 18, y2: floor, stroke: theme("ink"), "stroke-dasharray": "2 3" };
    svg.append(drawn("g", { class: "flag" }, drawn("title", {}, title), drawn("line", lineStyle), drawn("rect", { x: start, y: 1, width, height: 17, rx: 3, fill: theme("ink") }), label));
  }

  // ---- sharpness against the optimizer's limit
  const stability = view.stability ?? { steps: [], value: [], limit: [] };
  const SMALL = 150;

  function drawStability() {
    const [value, limit] = [list(stability.value), list(stability.limit)];
    const top = Math.max(...value, ...limit);
    const isWide = Math.max(...value) > 4 * Math.max(...limit); // a curve far above its limit would press all else flat
    const low = isWide ? Math.log10(Math.max(Math.min(...value, ...limit), 1e-12)) : 0;
    const bend = (one) => (isWide ? Math.log10(Math.max(one, 1e-12)) - low : one);
    const y = (one) => 14 + (1 - bend(one) / (bend(top) * 1.08)) * (SMALL - 14 - frame.bottom);
    const svg = drawn("svg", { viewBox: `0 0 ${frame.width} ${SMALL}`, height: SMALL, "aria-hidden": "true" });
    const run = (values) => stability.steps.map((step, at) => `${at ? "L" : "M"}${across(step + 0.5).toFixed(1)} ${y(values[at]).toFixed(1)}`).join("");
    const floor = SMALL - frame.bottom;
    const marks = isWide ? lossTicksOf(low, Math.log10(top)) : ticks(0, top, 3);
    for (const mark of marks) svg.append(drawn("line", { x1: frame.left, x2: frame.width - frame.right, y1: y(mark), y2: y(mark), stroke: theme("line") }), drawn("text", { x: frame.left - 8, y: y(mark) + 4, "text-anchor": "end" }, short(mark)));
    svg.append(drawn("path", { d: run(limit), fill: "none", stroke: theme("ink"), "stroke-width": 1.5, "stroke-dasharray": "7 5" }));
    svg.append(drawn("path", { d: run(value), fill: "none", stroke: theme("loss"), "stroke-width": 2 }));
    if (stability.steps.length <= 60) stability.steps.forEach((step, at) => svg.append(drawn("circle", { cx: across(step + 0.5), cy: y(value[at]), r: 2.5, fill: theme("loss") })));
    const end = frame.width - frame.right;
    const label = drawn("text", { x: end - 34, y: 10, "text-anchor": "end" }, words("stability_line", { value: short(limit.at(-1)) })); // a key: the curve itself often runs along the limit
    label.style.fill = theme("ink");
    svg.append(drawn("line", { x1: end - 28, x2: end, y1: 6, y2: 6, stroke: theme("ink"), "stroke-width": 1.5, "stroke-dasharray": "7 5" }));
    svg.append(label, drawn("line", { x1: frame.left, x2: frame.width - frame.right, y1: floor, y2: floor, stroke: theme("muted") }));
    for (const step of stepTicks()) {
      const anchor = step === first ? "start" : step === last && first !== last ? "end" : "middle";
      const x = step === first ? frame.left : Math.min(across(step + 0.5), frame.width - frame.right);
      svg.append(drawn("text", { x, y: SMALL - 7, "text-anchor": anchor }, step === first ? `${words("step")} ${step}` : String(step)));
    }
    $("stability-figure").replaceChildren(svg);
  }

  const lossTicksOf = (from, to) => Array.from({ length: Math.floor(to) - Math.ceil(from) + 1 }, (_, at) => 10 ** (Math.ceil(from) + at));

  function renderStability() {
    $("stability-section").hidden = !stability.steps.length;
    if (!stability.steps.length) return;
    $("stability-title").textContent = say(stability.title);
    $("stability-figure").setAttribute("aria-label", `${words("sharpness")}: ${say(stability.title)}`);
    const heads = ["step", "value", "limit_head"].map((key) => element("th", { scope: "col", class: "number" }, words(key)));
    const stride = Math.max(1, Math.ceil(stability.steps.length / 40));
    const shown = stability.steps.map((_, at) => at).filter((at) => at % stride === 0 || at === stability.steps.length - 1);
    const cells = (at) => [String(stability.steps[at]), short(number(stability.value[at])), short(number(stability.limit[at]))];
    fillDetails($("stability-table"), "table_of_stability", heads, shown.map((at) => element("tr", {}, ...cells(at).map((text) => element("td", { class: "number" }, text)))));
  }

  const lossAt = (at) => (!Number.isFinite(loss.low[at]) ? words("not_finite") : loss.low[at] === loss.high[at] ? short(loss.low[at]) : `${short(loss.low[at])} … ${short(loss.high[at])}`);

  function besideCurve(at) { // above the end of the curve, or below it where the line of guessing has its own label above
    const floor = LOSS_HEIGHT - frame.bottom - 8;
    const { y } = lossRange();
    const guess = loss.trivial > 0 ? y(loss.trivial) : -100;
    const above = y(loss.high[at]) - 16;
    const isFree = above > frame.top + 14 && Math.abs(above - guess) > 18 && Math.abs(above - guess + 6) > 16;
    return isFree ? above : Math.min(floor, Math.max(y(loss.low[at]), guess + 4) + 22);
  }

  function drawCrossOnLoss(isShown) {
    const group = document.getElementById("loss-cross");
    if (!group) return;
    group.replaceChildren();
    const step = isShown ? state.step : loss.steps.at(-1);
    const at = step === undefined ? -1 : columnAt(loss.steps, step);
    if (at < 0 || (!isShown && !Number.isFinite(loss.high[at]))) return; // that it is NaN now stands on the axis
    const x = across(step + 0.5);
    const text = isShown ? words("at_step", { n: step, value: lossAt(at) }) : words("loss_now", { value: lossAt(at) });
    const isLeft = x > frame.width - 170;
    if (isShown) group.append(drawn("line", { x1: x, x2: x, y1: 18, y2: LOSS_HEIGHT - frame.bottom, stroke: theme("ink"), "stroke-width": 1.5 }));
    const label = drawn("text", { x: isShown ? x + (isLeft ? -8 : 8) : frame.width - frame.right - 4, y: isShown ? LOSS_HEIGHT - frame.bottom - 8 : besideCurve(at), "text-anchor": isShown && !isLeft ? "start" : "end" }, text);
    Object.assign(label.style, { fill: theme("ink"), fontWeight: "600", paintOrder: "stroke", stroke: theme("card"), strokeWidth: "4px" });
    group.append(label);
  }

  // ---- words around the pictures
  function renderHead() {
    const root = document.documentElement;
    root.lang = state.language;
    for (const node of document.querySelectorAll("[data-words]")) node.textContent = words(node.dataset.words);
    for (const button of $("languages").children) button.setAttribute("aria-pressed", String(button.dataset.language === state.language));
    $("languages").setAttribute("aria-label", words("language"));
    $("theme").textContent = words(isDark() ? "theme_light" : "theme_dark");
    $("theme").title = words("theme");
    const swatch = element("span", { class: "swatch", "aria-hidden": "true" }, `${view.wind.symbol}\ufe0e`);
    const paint = view.wind.value === 3 ? parts(view.palette.nan) : colourScale()({ "-2": -6, "-1": -4.25, 0: -1, 1: 1.25, 2: 2 }[view.wind.value]);
    Object.assign(swatch.style, { background: `rgb(${paint})`, color: readable(paint) });
    const other = state.language === "ja" ? null : element("small", { lang: "ja" }, view.wind.word.ja);
    $("badge").replaceChildren(swatch, element("span", {}, say(view.wind.word)), ...(other ? [other] : []));
    $("badge").setAttribute("aria-label", words("wind_now", { word: say(view.wind.word) }));
    const counts = [data.steps === 1 ? words("one_step") : words("steps", { n: data.steps })];
    if (data.layers.length) counts.push(data.layers.length === 1 ? words("one_layer") : words("layers", { n: data.layers.length }));
    $("run").textContent = [view.setting.id, ...counts].join(" · ");
    $("verdict").replaceChildren(...prose(say(view.verdict)));
    document.title = `${view.setting.id} · ${say(view.verdict)} · kazami`;
    renderFacts();
  }

  const since = (step) => (step > 0 ? words("since_step", { n: step }) : words("since_start"));

  function renderFacts() {
    const primary = view.findings.find((finding) => finding.is_primary);
    const fact = (key, value, isWide = false) => element("div", isWide ? { class: "wide" } : {}, element("dt", {}, words(key)), element("dd", {}, value));
    const facts = [];
    if (primary) {
      facts.push(fact("where", say(primary.placed) || words("whole_model")), fact("since", since(primary.step)));
      facts.push(fact("sure", element("span", {}, words(primary.certainty), " ", element("small", {}, short(primary.confidence)))));
      if (primary.changes.length) facts.push(fact("change", element("pre", {}, element("code", {}, primary.changes[0].code)), true));
    }
    $("facts").replaceChildren(...facts);
    $("facts").hidden = !facts.length;
  }

  function renderMap() {
    const isEmpty = !map.wind.length;
    $("map-title").textContent = say(map.title);
    $("map-notice").textContent = isEmpty ? (view.blind.length ? view.blind.join(" ") : words("no_blind_reason")) : words("map_notice");
    for (const id of ["map-figure", "legend", "map-table", "map-fine"]) $(id).hidden = isEmpty;
    if (isEmpty) return;
    $("map-stage").setAttribute("aria-label", `${words("weather_map")}: ${say(map.title)}. ${words("map_keys")}`);
    const notes = [words("map_scale")];
    if (map.steps.length < map.recorded) notes.push(words("map_thinned", { columns: map.steps.length, steps: map.recorded }));
    $("map-fine").textContent = notes.join(state.language === "ja" ? "" : " ");
    renderLegend();
    const heads = ["layer", "newest", "lowest", "highest"].map((key, at) => element("th", { scope: "col", class: at ? "number" : "" }, words(key)));
    const rows = map.names.map((name, row) => {
      const seen = map.wind[row].filter((wind) => !Number.isNaN(wind));
      const shown = (wind) => element("td", { class: "number" }, wind === undefined ? words("unseen") : `${isLost(wind) ? "NaN" : short(wind)} ${letter(wind)}`);
      const [low, high] = [map.wind_low ?? map.wind, map.wind_high ?? map.wind].map((one) => one[row].filter((wind) => !Number.isNaN(wind)));
      return element("tr", {}, element("td", { class: "name" }, name), shown(seen.at(-1)), shown(smallest(low)), shown(largest(high)));
    });
    fillDetails($("map-table"), "table_of_map", heads, rows.reverse());
  }

  const smallest = (values) => (values.length ? values.reduce((one, other) => Math.min(one, other)) : undefined);
  const largest = (values) => (values.length ? values.reduce((one, other) => Math.max(one, other)) : undefined);

  function fillDetails(node, key, heads, rows) {
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
    node.replaceChildren(element("summary", {}, words(key)), element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": words(key) }, table));
  }

  function renderLegend() {
    const { limits, healthy } = view.palette;
    const span = limits[1] - limits[0];
    const colours = element("div", { class: "colours" });
    const gradient = view.palette[isDark() ? "dark" : "light"].map(([place, code]) => `${code} ${(100 * (place - limits[0])) / span}%`);
    colours.style.background = `linear-gradient(90deg, ${gradient})`;
    const zones = element("div", { class: "zones" }, ...["letter_calm", "letter_breeze", "letter_storm"].map((key) => element("span", {}, words(key))));
    zones.style.gridTemplateColumns = [healthy[0] - limits[0], healthy[1] - healthy[0], limits[1] - healthy[1]].map((part) => `${part}fr`).join(" ");
    const numbers = element("div", { class: "numbers" }, ...[limits[0], ...healthy, limits[1]].map((place) => {
      const mark = element("span", {}, String(place).replace("-", "−"));
      mark.style.left = `${(100 * (place - limits[0])) / span}%`;
      return mark;
    }));
    const swatch = (name, key) => element("span", {}, element("i", { class: name }), words(key));
    const swatches = element("div", { class: "swatches" }, swatch("nan", "letter_nan"), swatch("unseen", "letter_unseen"));
    $("legend").replaceChildren(element("div", { class: "scale" }, colours, zones, numbers), swatches);
  }

  function renderLoss() {
    $("loss-title").textContent = heldOut.steps.length ? `${say(loss.title)}; ${say(heldOut.say)}` : say(loss.title);
    const isEmpty = !loss.steps.length;
    for (const id of ["loss-figure", "loss-table", "scales"]) $(id).hidden = isEmpty;
    if (isEmpty) return;
    $("loss-figure").setAttribute("aria-label", `${words("loss")}: ${say(loss.title)}. ${words("map_keys")}`);
    for (const button of $("scales").children) {
      button.setAttribute("aria-pressed", String(button.dataset.scale === state.scale));
      button.disabled = button.dataset.scale === "log" && !canBeLog;
    }
    const heads = ["step", "loss"].map((key) => element("th", { scope: "col", class: "number" }, words(key)));
    const stride = Math.max(1, Math.ceil(loss.steps.length / 40));
    const shown = loss.steps.map((_, at) => at).filter((at) => at % stride === 0 || at === loss.steps.length - 1);
    fillDetails($("loss-table"), "table_of_loss", heads, shown.map((at) => element("tr", {}, element("td", { class: "number" }, String(loss.steps[at])), element("td", { class: "number" }, lossAt(at)))));
  }

  function renderFindings() {
    if (view.findings.length) $("findings").replaceChildren(...view.findings.map(card));
    else $("findings").replaceChildren(nothingWrong());
    if (view.suppressed) $("findings").append(element("p", { class: "notice" }, say(view.suppressed)));
  }

  function nothingWrong() {
    const made = element("div", { class: "card calm-state" }, element("h3", {}, ...prose(say(view.verdict))));
    made.append(element("p", { class: "notice" }, words(view.checks.length ? "these_were_checked" : "checks_unknown")));
    if (view.checks.length) made.append(element("ul", { class: "checks" }, ...view.checks.map((name) => element("li", {}, say(name)))));
    return made;
  }

  function card(finding, at) {
    const made = element("article", { class: `card finding ${finding.severity}`, id: `finding-${at + 1}` });
    const tags = element("div", { class: "tags" }, element("span", { class: "number-flag" }, String(at + 1)), element("span", { class: "severity" }, words(`severity_${finding.severity}`)));
    if (finding.is_primary) tags.append(element("span", { class: "cause" }, words("primary")));
    tags.append(element("span", { class: "mono" }, `${finding.id} ${finding.name}`));
    const meta = (key, value) => element("div", {}, element("span", {}, words(key)), value);
    const sure = `${words(finding.certainty)} (${short(finding.confidence)})`;
    made.append(tags, element("h3", {}, ...prose(say(finding.sentence))), element("div", { class: "meta" }, meta("where", say(finding.placed) || words("whole_model")), meta("since", since(finding.step)), meta("sure", sure)));
    if (finding.evidence.length) made.append(evidenceTable(finding));
    if (finding.changes.length) made.append(element("h4", {}, words("what_to_change"), finding.changes.length > 1 ? element("small", {}, ` — ${words("least_first")}`) : null), element("ol", {}, ...finding.changes.map(change)));
    if (finding.excluded.length) made.append(element("h4", {}, words("not_the_cause")), element("ul", {}, ...finding.excluded.map((sentence) => element("li", {}, ...prose(say(sentence))))));
    return made;
  }

  function evidenceTable(finding) {
    const columns = [["measured", ""], ["value", "number"], ["limit_head", "number"], ["source", ""]];
    if (!finding.evidence.some((one) => one.source)) columns.pop();
    const heads = columns.map(([key, kind]) => element("th", { scope: "col", class: kind }, words(key)));
    const unit = (text, one) => (one.unit && text !== "–" ? `${text} ${say({ en: one.unit, ja: one.unit_ja })}` : text);
    const rows = finding.evidence.map((one) => {
      const cells = [say({ en: one.name, ja: one.name_ja || one.name }), element("strong", {}, unit(one.shown, one)), unit(one.shown_limit, one), say({ en: one.source, ja: one.source_ja || one.source })].slice(0, columns.length);
      return element("tr", {}, ...cells.map((cell, at) => element("td", { class: columns[at][1], "data-label": words(columns[at][0]) }, cell)));
    });
    return element("div", { class: "scroll" }, element("table", { class: "evidence" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)));
  }

  function change(one) {
    const button = element("button", { type: "button", class: "plain copy" }, words("copy"));
    button.addEventListener("click", async () => {
      await copy(one.code);
      button.textContent = words("copied");
      setTimeout(() => { button.textContent = words("copy"); }, 1500);
    });
    return element("li", { class: "change" }, element("p", {}, ...prose(say(one.sentence))), element("pre", {}, element("code", {}, one.code)), button);
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // a page from disk may not have the clipboard
      const field = document.body.appendChild(element("textarea", { class: "unseen-by-eye" }));
      field.value = text;
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  }

  // ---- tables
  const COLUMNS = [["name"], ["wind", "wind_head"], ["gradient_norm", "gradient_head"], ["weight_norm"], ["update_ratio"], ["dead_share"], ["saturated_share"], ["kind"], ["shape"], ["activation"]];
  const TEXTS = ["name", "kind", "shape", "activation"];

  function renderLayers() {
    $("layers-section").hidden = !view.layers.length;
    const shown = COLUMNS.filter(([key]) => TEXTS.includes(key) || view.layers.some((row) => row[key]));
    const heads = shown.map(([key, word]) => {
      const button = element("button", { type: "button", "data-sort": key }, `${words(word ?? key)}${state.sort?.key === key ? (state.sort.isDown ? " ↓" : " ↑") : ""}`);
      button.addEventListener("click", () => sortBy(key));
      const head = element("th", { scope: "col", class: TEXTS.includes(key) ? "" : "number" }, button);
      if (state.sort?.key === key) head.setAttribute("aria-sort", state.sort.isDown ? "descending" : "ascending");
      return head;
    });
    const rows = sorted().map((row) => element("tr", {}, ...shown.map(([key]) => cell(row, key))));
    $("layers").setAttribute("aria-label", words("per_layer"));
    $("layers").replaceChildren(element("table", {}, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows)));
  }

  function cell(row, key) {
    if (TEXTS.includes(key)) return element("td", { class: key === "name" ? "name" : "" }, row[key]);
    if (key !== "wind") return element("td", { class: "number" }, row[key]?.shown ?? "–");
    const wind = row.wind ? number(row.wind.value) : NaN;
    const sign = element("span", { class: `letter ${isLost(wind) ? "nan" : Number.isNaN(wind) ? "none" : ""}`, title: words(LETTER_WORDS[row.letter]) }, row.letter);
    if (!isLost(wind) && !Number.isNaN(wind)) Object.assign(sign.style, { background: `rgb(${colourScale()(wind)})`, color: readable(colourScale()(wind)) });
    return element("td", { class: "number" }, sign, isLost(wind) ? "NaN" : row.wind?.shown ?? "–");
  }

  function sortBy(key) {
    const isDown = state.sort?.key === key ? !state.sort.isDown : !TEXTS.includes(key);
    state.sort = { key, isDown };
    renderLayers();
    $("layers").querySelector(`[data-sort="${key}"]`).focus();
  }

  function sorted() {
    if (!state.sort) return view.layers;
    const { key, isDown } = state.sort;
    const value = (row) => (TEXTS.includes(key) ? row[key] : row[key] ? number(row[key].value) : -Infinity);
    const order = (one, other) => (TEXTS.includes(key) ? String(value(one)).localeCompare(value(other), undefined, { numeric: true }) : Math.sign(value(one) - value(other)) || 0);
    return [...view.layers].sort((one, other) => (isDown ? -1 : 1) * order(one, other));
  }

  function renderFoot() {
    $("blind").replaceChildren(view.blind.length ? element("ul", { class: "plain-list" }, ...view.blind.map((text) => element("li", {}, ...prose(text)))) : element("p", { class: "notice" }, words("all_seen")));
    const setting = view.setting;
    const pairs = (object) => element("dd", {}, ...Object.entries(object).map(([key, value]) => element("span", {}, element("em", {}, key), typeof value === "object" ? JSON.stringify(value) : typeof value === "number" && !Number.isInteger(value) ? short(value) : String(value))));
    const rows = [];
    const row = (key, value) => value && rows.push(element("dt", {}, words(key)), value);
    row("command", element("dd", {}, setting.command ? element("code", {}, setting.command) : words("from_python")));
    for (const key of ["started", "ended", "reason"]) row(key, setting[key] && element("dd", {}, setting[key]));
    if (setting.loss_kind !== "unknown") row("loss_kind", element("dd", {}, setting.loss_kind.replaceAll("_", " ")));
    for (const key of ["optimizer", "seeds", "versions", "environment"]) row(key, Object.keys(setting[key]).length && pairs(setting[key]));
    $("setting").replaceChildren(...rows);
    $("raw-notice").textContent = words("raw_notice") + (Object.keys(data.thinned).length ? ` ${words("raw_thinned")}` : "");
  }

  function download() {
    const { view: _, ...content } = JSON.parse(document.getElementById("kazami-data").textContent);
    const link = element("a", { href: URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" })), download: `${view.setting.id || "kazami"}.json` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  function render() {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    renderHead();
    renderMap();
    renderLoss();
    renderStability();
    renderFindings();
    renderLayers();
    renderFoot();
    draw();
  }

  function draw() {
    measureFrame();
    if (map.wind.length) drawMap();
    if (loss.steps.length) drawLoss();
    if (stability.steps.length) drawStability();
    drawCross(false);
  }

  for (const button of $("languages").children) button.addEventListener("click", () => { state.language = button.dataset.language; render(); });
  for (const button of $("scales").children) button.addEventListener("click", () => { state.scale = button.dataset.scale; renderLoss(); drawLoss(); });
  $("theme").addEventListener("click", () => { state.theme = isDark() ? "light" : "dark"; render(); });
  $("download").addEventListener("click", download);
  dark.addEventListener("change", render);
  addEventListener("beforeprint", () => { state.isPrinting = true; render(); });
  addEventListener("afterprint", () => { state.isPrinting = false; render(); });
  new ResizeObserver(() => { if (Math.abs($("map-section").clientWidth - frame.section) > 0) { frame.section = $("map-section").clientWidth; draw(); } }).observe($("map-section"));
  listen();
  render();
  frame.section = $("map-section").clientWidth;
})();
