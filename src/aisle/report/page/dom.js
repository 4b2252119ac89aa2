// Elements. What is said in them enters as text, never as markup.

/** An element with attributes, listeners (`on`) and children: elements, texts, lists of them, null for nothing. */
function h(tag, attributes = {}, ...children) {
  return furnished(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
function s(tag, attributes = {}, ...children) {
  return furnished(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnished(element, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A value of the data, apart from the text around it in whichever direction it is written. */
function said(value) {
  return value === null || value === "" ? h("span", { class: "none" }, valueText(value)) : h("bdi", {}, String(value));
}

/** A sentence where there would be nothing else. */
function sentence(text) {
  return h("p", { class: "says" }, text);
}

/** A sign and its word: that something holds or not is never said by colour alone. */
function verdict(good, word) {
  return h("span", { class: good ? "verdict good" : "verdict bad" }, h("span", { "aria-hidden": "true" }, good ? "✓" : "✗"), ` ${word}`);
}

/**
 * A table, in a frame that scrolls where it is too wide.
 * A column is {head, cell: row → text or elements, number, wide, of: row → class}; the first one heads its row.
 */
function table(caption, columns, rows, foot = null) {
  const line = (row) => h("tr", {}, columns.map((column, i) => {
    const kind = [column.number && "number", column.wide && "wide", column.of && column.of(row)].filter(Boolean).join(" ") || null;
    return h(i ? "td" : "th", { scope: i ? null : "row", class: kind }, column.cell(row));
  }));
  const heads = columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null }, column.head));
  return scrolling(caption, h("table", {},
    h("caption", { class: "heard" }, caption),
    h("thead", {}, h("tr", {}, heads)),
    h("tbody", {}, rows.map(line)),
    foot && h("tfoot", {}, line(foot)),
  ));
}

/** A frame that scrolls where it is too small; the keyboard stops at it where there is something to scroll. */
function scrolling(label, ...children) {
  const frame = h("div", { class: "scroll", role: "group", "aria-label": label }, children);
  watchScrolling(frame);
  return frame;
}

function watchScrolling(frame) {
  SCROLLING.observe(frame);
  if (frame.firstElementChild) SCROLLING.observe(frame.firstElementChild);
}
const SCROLLING = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const frame = target.closest(".scroll");
    if (!frame) continue;
    if (frame.scrollWidth > frame.clientWidth + 1 || frame.scrollHeight > frame.clientHeight + 1) frame.setAttribute("tabindex", "0");
    else frame.removeAttribute("tabindex");
  }
});

/** A labelled choice among [value, text]; `choose` hears the value, a text. */
function choice(label, options, chosen, choose) {
  const select = h("select", { on: { change: () => choose(select.value) } }, options.map(([value, text]) => h("option", { value }, cut(text, 80))));
  select.value = String(chosen);
  return h("label", { class: "choice" }, h("span", {}, label), select);
}

/** A field to search with. */
function search(label, hear) {
  const field = h("input", { type: "search", autocomplete: "off", spellcheck: "false", on: { input: () => hear(field.value.trim().toLowerCase()) } });
  return h("label", { class: "choice" }, h("span", {}, label), field);
}

/** What is under a heading of its own within a section. */
function block(level, title, ...children) {
  return h("div", { class: "block" }, h(`h${level}`, {}, title), children);
}

/** Something that opens; what is in it is made when it first does. */
function opening(summary, fill, attributes = {}) {
  const details = h("details", { ...attributes, on: { toggle: () => details.open && make() } }, h("summary", {}, summary));
  let made = false;
  const make = () => {
    if (!made) details.append(...[fill()].flat());
    made = true;
  };
  details.make = make;
  return details;
}
