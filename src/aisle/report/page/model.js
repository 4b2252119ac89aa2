// What the star declares: the bus matrix, and the dictionary with each column's lineage.

function matrix({ dimensions, facts }) {
  const element = block(3, "Bus matrix");
  if (!facts.length) {
    element.append(sentence("The star has no facts, so no dimension is looked up."));
    return element;
  }
  if (!dimensions.length) {
    element.append(sentence("The star has no dimensions."));
    return element;
  }
  element.append(
    h("p", { class: "doc" }, "Which fact looks up which dimension, and in which role. A dimension of several facts conforms them: by it they can be compared."),
    table("Bus matrix", [
      { head: "Fact", cell: (fact) => [h("b", {}, fact.table), h("span", { class: "small grain" }, `grain: ${fact.grain}`)] },
      ...dimensions.map((name, i) => ({
        head: name,
        of: (fact) => (fact.roles[i].length ? "looked" : null),
        cell: (fact) => (fact.roles[i].length ? [h("span", { "aria-hidden": "true", class: "dot" }, "●"), fact.roles[i].map((role) => h("span", { class: "role" }, role))] : h("span", { class: "heard" }, "none")),
      })),
    ], facts),
  );
  return element;
}

/** Every table with its columns. "customers.segment" in a column's lineage leads to that column. */
function dictionary(tables) {
  const element = block(3, "Dictionary");
  if (!tables.length) {
    element.append(sentence("The star has no tables."));
    return element;
  }
  const made = new Map();
  for (const one of tables) {
    for (const column of one.columns) {
      for (const from of column.from) made.set(from, [...(made.get(from) || []), `${one.name}.${column.name}`]);
    }
  }
  const anchors = new Map(tables.flatMap((one, i) => one.columns.map((column, k) => [`${one.name}.${column.name}`, `column-${i}-${k}`])));
  const entries = tables.map((one, i) => entry(one, i, { made, anchors }));
  const heard = h("p", { class: "small", "aria-live": "polite" });
  const columns = sum(tables.map((one) => one.columns.length));
  const at = { sought: "", kind: "" };
  const show = () => {
    let found = 0;
    entries.forEach((details, i) => {
      const number = matching(tables[i], at);
      found += number;
      details.hidden = number === 0 && (at.sought !== "" || (at.kind !== "" && tables[i].kind !== at.kind));
      details.narrow(at.sought);
      if (at.sought && number) details.open = true;
      else if (!at.sought) details.open = false;
    });
    heard.textContent = `${count(found)} of ${plural(columns, "column")} in ${plural(entries.filter((details) => !details.hidden).length, "table")}.`;
  };
  const kinds = [...new Set(tables.map((one) => one.kind))];
  element.append(
    h("div", { class: "choices" },
      search("Search", (text) => {
        at.sought = text;
        show();
      }),
      choice("Kind", [["", "all"], ...kinds.map((kind) => [kind, kind])], "", (kind) => {
        at.kind = kind;
        show();
      })),
    heard, ...entries,
  );
  show();
  return element;
}

/** How many columns of a table are sought; all of them where the table itself is. */
function matching(one, { sought, kind }) {
  if (kind && one.kind !== kind) return 0;
  if (!sought || told(one.name, one.doc).includes(sought)) return one.columns.length;
  return one.columns.filter((column) => columnTold(column).includes(sought)).length;
}

function told(...texts) {
  return texts.join(" ").toLowerCase();
}

function columnTold(column) {
  return told(column.name, column.type, column.says, column.contract, ...column.marks, ...column.from);
}

function entry(one, index, { made, anchors }) {
  let rows = null;
  const details = opening([h("b", {}, h("bdi", {}, one.name)), h("span", { class: "kind" }, one.kind), h("span", { class: "small" }, plural(one.columns.length, "column"))], () => {
    const place = table(`Columns of ${one.name}`, [
      { head: "Column", cell: (column) => [h("code", {}, column.name), column.marks.map((mark) => h("span", { class: mark === "personal" ? "tag personal" : "tag" }, mark))] },
      { head: "Type", cell: (column) => h("code", {}, column.type) },
      { head: "What", wide: true, cell: (column) => [column.says, column.contract ? h("p", { class: "small" }, column.contract) : null] },
      { head: "Made of", cell: (column) => column.from.map((from) => reference(from, anchors)) },
      { head: "Goes into", cell: (column) => (made.get(`${one.name}.${column.name}`) || []).map((into) => reference(into, anchors)) },
    ], one.columns);
    rows = [...place.querySelectorAll("tbody tr")];
    rows.forEach((row, k) => {
      row.id = `column-${index}-${k}`;
      row.setAttribute("tabindex", "-1");
    });
    details.narrow(sought);
    return [one.doc ? h("p", { class: "doc" }, one.doc) : null, one.about ? h("p", { class: "small" }, one.about) : null, one.columns.length ? place : sentence("No columns.")].filter(Boolean);
  }, { class: "entry printed" });
  let sought = "";
  details.narrow = (text) => {
    sought = text;
    const whole = !text || told(one.name, one.doc).includes(text);
    rows?.forEach((row, k) => {
      row.hidden = !whole && !columnTold(one.columns[k]).includes(text);
    });
  };
  return details;
}

/** A column's name that leads to it, where the dictionary has it. */
function reference(name, anchors) {
  const id = anchors.get(name);
  if (!id) return h("code", { class: "reference" }, name);
  return h("a", { class: "reference", href: `#${id}`, on: { click: (event) => {
    event.preventDefault();
    const details = document.querySelectorAll("details.entry")[Number(id.split("-")[1])];
    details.make();
    details.hidden = false;
    details.open = true;
    const row = document.getElementById(id);
    row.hidden = false;
    row.scrollIntoView({ block: "center", behavior: CALM.matches ? "auto" : "smooth" });
    row.focus({ preventScroll: true });
  } } }, h("code", {}, name));
}
