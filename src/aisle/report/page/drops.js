// Long tables: some rows at first, more when asked for; and the drops, to be searched and sorted.

/** A table of which so many rows are shown, with a button for the others. */
function paged(caption, columns, rows, most) {
  const place = h("div");
  const show = (shown) => {
    place.replaceChildren(table(caption, columns, rows.slice(0, shown)));
    if (rows.length > shown) {
      place.append(h("p", { class: "more" }, `${count(shown)} of ${count(rows.length)} shown. `,
        h("button", { type: "button", on: { click: () => show(shown + 200) } }, `Show ${count(Math.min(200, rows.length - shown))} more`)));
    }
  };
  show(most);
  return place;
}

/** The delivered files, with what became of each. */
function drops(list, leftOut) {
  const element = block(3, "Drops");
  if (!list.length) {
    element.append(sentence("Nothing has been delivered."));
    return element;
  }
  const columns = [
    { name: "source", head: "Source", cell: (drop) => said(drop.source) },
    { name: "drop", head: "Drop", wide: true, cell: (drop) => said(drop.drop) },
    { name: "status", head: "Status", cell: (drop) => (drop.status === "consumed" ? drop.status : verdict(false, drop.status)) },
    ...["rows", "silver", "duplicates", "quarantined"].map((name) => ({ name, head: titled(name), number: true, cell: (drop) => number(drop[name]) })),
    { name: "reason", head: "Reason", wide: true, cell: (drop) => (drop.reason === null ? "" : said(drop.reason)) },
  ];
  const place = h("div");
  const heard = h("p", { class: "small", "aria-live": "polite" });
  const at = { sought: "", by: null, down: false };
  const show = () => {
    const found = list.filter((drop) => !at.sought || [drop.source, drop.drop, drop.status, drop.reason].some((text) => text && text.toLowerCase().includes(at.sought)));
    if (at.by) found.sort((a, b) => (at.down ? -1 : 1) * compared(a[at.by], b[at.by]));
    heard.textContent = `${count(found.length)} of ${plural(list.length, "drop")}${leftOut ? `; ${count(leftOut)} more ${leftOut === 1 ? "is" : "are"} left out of this page` : ""}.`;
    place.replaceChildren(found.length ? paged("Drops", columns, found, 25) : sentence("No drop has that in its source, name, status or reason."));
    sortable(place);
  };
  const sort = (name) => {
    Object.assign(at, { by: name, down: at.by === name && !at.down });
    show();
    place.querySelector(`th button[data-name="${name}"]`)?.focus();
  };
  // Headings are buttons; which column sorts, and how, is said by aria-sort.
  const sortable = (within) => within.querySelectorAll("thead th").forEach((head, i) => {
    const { name } = columns[i];
    const sorted = at.by === name;
    if (sorted) head.setAttribute("aria-sort", at.down ? "descending" : "ascending");
    head.replaceChildren(h("button", { type: "button", class: "sort", "data-name": name, on: { click: () => sort(name) } }, columns[i].head, h("span", { "aria-hidden": "true" }, sorted ? (at.down ? " ↓" : " ↑") : " ↕")));
  });
  element.append(h("div", { class: "choices" }, search("Search", (text) => {
    at.sought = text;
    show();
  })), heard, place);
  show();
  // More rows are another table, whose headings are to sort, too.
  place.addEventListener("click", (event) => event.target.closest(".more") === null || sortable(place));
  return element;
}

function number(value) {
  return value === null ? h("span", { class: "none" }, "–") : count(value);
}

/** Numbers by size, texts by letters, what is missing last. */
function compared(a, b) {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return typeof a === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
}
