// A fact: its figures in a period, and as was beside as is, by whatever one can look at it.

/** A fact's article. What is chosen is in `at`; whatever is shown follows it. */
function explorer(fact, number) {
  const article = h("article", { class: "fact", "aria-labelledby": `fact-${number}` },
    h("h3", { id: `fact-${number}` }, noun(fact.table), " ", h("code", {}, fact.table)),
    fact.doc ? h("p", { class: "doc" }, fact.doc) : null,
  );
  if (!fact.buckets.length) {
    article.append(sentence(`${fact.table} has no rows in this release: there is nothing to add up.`));
    return article;
  }
  const last = fact.buckets.length - 1;
  const at = { measure: mainMeasure(fact.measures), by: 0, from: 0, to: last, chosen: everyValue(fact, 0), bars: last < 100 };
  const parts = [figures(fact, at), totalsOverTime(fact, at), comparison(fact, at, number), topMembers(fact, at), baskets(fact)].filter(Boolean);
  const status = h("p", { class: "chosen", "aria-live": "polite" });
  const show = () => {
    status.textContent = inWords(fact, at);
    for (const part of parts) part.show?.();
  };
  article.append(controls(fact, at, show), status, ...parts.map((part) => part.element));
  show();
  return article;
}

function everyValue(fact, by) {
  return new Set(fact.breakdowns[by] ? fact.breakdowns[by].values.keys() : []);
}

/** What is chosen, in a sentence: on paper it stands for the controls. */
function inWords(fact, at) {
  const by = fact.breakdowns[at.by];
  const first = bucketText(fact.buckets[at.from], fact.unit);
  const last = bucketText(fact.buckets[at.to], fact.unit);
  const period = first === last ? first : `${first} to ${last}`;
  const values = !by || at.chosen.size === by.values.length ? "" : `; ${at.chosen.size} of ${by.values.length} values, as they were`;
  return `${titled(fact.measures[at.measure].name)}${by ? ` by ${words(by.name)}` : ""}, ${period}${values}.`;
}

function controls(fact, at, show) {
  const names = (list) => list.map(({ name }, i) => [i, words(name)]);
  const days = fact.buckets.map((day, i) => [i, bucketText(day, fact.unit)]);
  const last = days.length - 1;
  const from = choice("From", days, at.from, (i) => period(Number(i), Math.max(Number(i), at.to)));
  const to = choice("To", days, at.to, (i) => period(Math.min(at.from, Number(i)), Number(i)));
  const whole = h("button", { type: "button", on: { click: () => period(0, last) } }, "Whole period");
  const period = (first, end) => {
    Object.assign(at, { from: first, to: end });
    from.lastElementChild.value = String(first);
    to.lastElementChild.value = String(end);
    whole.disabled = first === 0 && end === last;
    show();
  };
  whole.disabled = true;
  const values = h("fieldset", { class: "values" });
  const by = fact.breakdowns.length
    ? choice("By", names(fact.breakdowns), at.by, (i) => {
      Object.assign(at, { by: Number(i), chosen: everyValue(fact, Number(i)) });
      valueChoice(values, fact, at, show);
      show();
    })
    : null;
  if (by) valueChoice(values, fact, at, show);
  return h("div", { class: "controls", role: "group", "aria-label": `What to show of ${noun(fact.table)}` },
    h("div", { class: "choices" },
      choice("Measure", names(fact.measures), at.measure, (i) => {
        at.measure = Number(i);
        show();
      }),
      by, from, to,
      by && choice("Drawn as", [[0, "lines"], [1, "stacked bars"]], Number(at.bars), (i) => {
        at.bars = i === "1";
        show();
      }),
      whole,
    ),
    by ? values : null,
  );
}

/** The values of the breakdown, to switch on and off; they are the charts' legend, too. */
function valueChoice(fieldset, fact, at, show) {
  const by = fact.breakdowns[at.by];
  const boxes = by.values.map((value, i) => {
    const box = h("input", { type: "checkbox", checked: true, on: { change: () => {
      if (box.checked) at.chosen.add(i);
      else at.chosen.delete(i);
      show();
    } } });
    return box;
  });
  const all = (on) => () => {
    at.chosen = on ? everyValue(fact, at.by) : new Set();
    for (const box of boxes) box.checked = on;
    show();
  };
  fieldset.replaceChildren(
    h("legend", {}, `Values of ${words(by.name)}`),
    ...by.values.map((value, i) => h("label", { class: "value", title: valueText(value) }, boxes[i], h("i", { class: colourClass(by, i), "aria-hidden": "true" }), said(value))),
    h("button", { type: "button", on: { click: all(true) } }, "All"),
    h("button", { type: "button", on: { click: all(false) } }, "None"),
  );
}

/** A value keeps its colour whatever else is chosen. What is no value of its own is grey. */
function colourClass(by, i) {
  if (by.rest !== undefined && i === by.values.length - 1) return "rest";
  return by.values[i] === null ? "none" : `c${i % 12}`;
}

function colourOf(by, i) {
  const name = colourClass(by, i);
  return (colours) => (name === "rest" || name === "none" ? colours[name] : colours.palette[i % 12]);
}

/** Each measure's total in the period, how many headers, and what one of them comes to. */
function figures(fact, at) {
  const element = h("dl", { class: "figures" });
  const figure = (name, value, note, on) => h("div", { class: on ? "on" : null }, h("dt", {}, name), h("dd", {}, value), h("dd", { class: "small" }, note));
  const show = () => {
    const all = !fact.breakdowns[at.by] || at.chosen.size === fact.breakdowns[at.by].values.length;
    const totals = fact.measures.map((measure, i) => sum(chosenTotals(fact, at, i)));
    const cards = fact.measures.map(({ name, scale }, i) => figure(titled(name), amount(totals[i], scale), i ? "" : `of ${fact.table}`, i === at.measure));
    if (fact.baskets) {
      const { name, scale } = fact.measures[at.measure];
      const headers = sum(within(fact.baskets.per_bucket, at));
      const average = all ? quotient(totals[at.measure], headers) : null;
      const why = all ? null : "known for all values together only";
      cards.push(figure(titled(fact.baskets.of), all ? count(headers) : "–", why || "in this period", false));
      // Rows in a basket are few: two digits more than a row has.
      const [units, digits] = scale || average === null ? [average, scale] : [quotient(totals[at.measure] * 100, headers), 2];
      cards.push(figure("Average basket", units === null ? "–" : amount(units, digits), why || `${words(name)} ÷ ${fact.baskets.of}`, false));
    }
    element.replaceChildren(...cards);
    // All of one size, that of the longest.
    element.classList.toggle("long", cards.some((card) => card.children[1].textContent.length > 10));
  };
  return { element, show };
}

/** A measure over time, of the chosen values together. */
function totalsOverTime(fact, at) {
  const it = figure(4);
  const show = () => {
    const { name, scale } = fact.measures[at.measure];
    const labels = within(fact.buckets, at).map((day) => bucketText(day, fact.unit));
    const units = chosenTotals(fact, at, at.measure);
    it.show({
      title: `${titled(name)} by ${fact.unit}`,
      label: described(`${titled(name)} by ${fact.unit}`, labels, units, scale),
      options: overTime({ labels, scale, bars: labels.length <= 62, series: [{ name: words(name), units, colour: (colours) => colours.accent }] }),
      table: () => table(`${titled(name)} by ${fact.unit}`, [
        { head: titled(fact.unit), cell: (i) => labels[i] },
        { head: titled(name), number: true, cell: (i) => amount(units[i], scale) },
      ], [...labels.keys()], null),
    });
  };
  return { element: it.element, show };
}

/** A series for those who do not see it. */
function described(title, labels, units, scale) {
  const low = units.indexOf(Math.min(...units));
  const high = units.indexOf(Math.max(...units));
  const span = labels.length > 1
    ? `, ${labels[0]} to ${labels[labels.length - 1]}; lowest ${amount(units[low], scale)} in ${labels[low]}, highest ${amount(units[high], scale)} in ${labels[high]}`
    : `, ${labels[0]}`;
  return `${title}${span}; ${amount(sum(units), scale)} in all.`;
}
