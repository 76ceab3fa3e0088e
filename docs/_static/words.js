// The filter of the page of words: hides the rows that do not hold all that was typed. Without it the page is a plain table.
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector(".kazami-words");
  if (!place) return;
  const isJapanese = document.documentElement.lang.startsWith("ja");
  const field = document.createElement("input");
  field.type = "search";
  field.className = "kazami-filter";
  field.placeholder = isJapanese ? "エラーの文や症状を入力（例: 下がらない、nan）" : "Type a symptom or an error (nan, not decreasing, RuntimeError …)";
  field.setAttribute("aria-label", field.placeholder);
  const none = document.createElement("p");
  none.className = "kazami-none";
  none.hidden = true;
  none.setAttribute("role", "status");
  none.textContent = isJapanese ? "該当する言葉がありません。`kazami run train.py` の判定を見てください。" : "No such words here. Ask the training itself: kazami run train.py.";
  place.prepend(field, none);
  const rows = [...place.querySelectorAll("tbody tr")];
  const plain = (text) => text.normalize("NFKC").toLowerCase();
  const filter = () => {
    const wanted = plain(field.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !wanted.every((word) => plain(row.textContent).includes(word));
      shown += row.hidden ? 0 : 1;
    }
    none.hidden = shown > 0;
  };
  field.addEventListener("input", filter);
  const given = new URLSearchParams(location.search).get("words");
  if (given) {
    field.value = given;
    filter();
  }
});
