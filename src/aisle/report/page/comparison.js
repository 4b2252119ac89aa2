// As was beside as is: the same rows by the values that members had then, and by those that they have now.

/** Two charts of one scale, and the difference between them in a table and in a sentence. */
function comparison(fact, at, number) {
  const element = h("div", { class: "block comparison" });
  if (!fact.breakdowns.length) {
    element.append(sentence(`${fact.table} looks up no dimension with attributes: there is nothing to break it down by.`));
    return { element };
  }
  const heading = h("h4");
  const note = h("p", { class: "doc" });
  const was = figure(5, `fact-${number}`);
  const is = figure(5, `fact-${number}`);
  const pair = h("div", { class: "pair" }, was.element, is.element);
  const below = h("div");
  const show = () => {
    const by = fact.breakdowns[at.by];
    const { name, scale } = fact.measures[at.measure];
    const chosen = [...at.chosen].sort((a, b) => a - b);
    heading.textContent = `${titled(name)} by ${words(by.name)}`;
    note.textContent = `By the ${by.says}${by.history ? ": as it was when the row was made, and as it is now." : ", which has no history: as was and as is are the same."}`;
    pair.hidden = !chosen.length;
    pair.className = by.history ? "pair" : "pair single";
    is.element.hidden = !by.history;
    if (!chosen.length) {
      below.replaceChildren(sentence("No value is chosen."));
      return;
    }
    const series = (which) => chosen.map((value) => within(by[which][at.measure][value], at));
    const sides = by.history ? { was: series("was"), is: series("is") } : { was: series("was") };
    const extent = commonExtent(Object.values(sides), scale, at.bars);
    const drawn = { fact, at, by, chosen, extent, scale };
    was.show(side({ ...drawn, title: by.history ? "As was" : titled(by.name), series: sides.was }));
    if (by.history) is.show(side({ ...drawn, title: "As is", series: sides.is }));
    below.replaceChildren(...differences(drawn, words(name), sides));
  };
  element.append(heading, note, pair, below);
  return { element, show };
}

function side({ fact, at, by, chosen, extent, scale, title, series }) {
  const labels = within(fact.buckets, at).map((day) => bucketText(day, fact.unit));
  const lines = chosen.map((value, i) => ({
    name: valueText(by.values[value]),
    units: series[i],
    colour: colourOf(by, value),
    dashed: value >= 6 || ["rest", "none"].includes(colourClass(by, value)),
  }));
  return {
    title,
    label: `${title}, ${words(by.name)}: ${lines.map((line) => `${cut(line.name, 60)} ${amount(sum(line.units), scale)}`).join("; ")}.`,
    options: overTime({ labels, series: lines, scale, bars: at.bars, extent }),
    height: 290,
    table: () => table(`${title}, by ${fact.unit}`, [
      { head: titled(fact.unit), cell: (i) => labels[i] },
      ...lines.map((line, k) => ({ head: said(by.values[chosen[k]]), number: true, cell: (i) => amount(line.units[i], scale) })),
    ], [...labels.keys()]),
  };
}

/** Value, as was, as is, difference; and what the largest difference is. */
function differences({ by, chosen, scale }, measure, sides) {
  const rows = chosen.map((value, i) => ({ value: by.values[value], colour: colourClass(by, value), was: sum(sides.was[i]), is: sides.is ? sum(sides.is[i]) : null }));
  const foot = { total: true, was: sum(rows.map((row) => row.was)), is: sum(rows.map((row) => row.is || 0)) };
  const value = { head: titled(by.name), wide: true, cell: (row) => (row.total ? "Together" : h("span", { class: "keyed" }, h("i", { class: row.colour, "aria-hidden": "true" }), said(row.value))) };
  if (!sides.is) {
    return [table(`${titled(measure)} by ${words(by.name)}`, [
      value,
      { head: titled(measure), number: true, cell: (row) => amount(row.was, scale) },
      { head: "Share", number: true, cell: (row) => share(row.was, foot.was) },
    ], rows, foot)];
  }
  return [
    h("p", { class: "explains" }, explained(rows, measure, scale)),
    table(`${titled(measure)} by ${words(by.name)}, as was and as is`, [
      value,
      { head: "As was", number: true, cell: (row) => amount(row.was, scale) },
      { head: "As is", number: true, cell: (row) => amount(row.is, scale) },
      { head: "Difference", number: true, cell: (row) => difference(row.is - row.was, scale), of: (row) => (row.is === row.was ? "same" : "differs") },
    ], rows, foot),
  ];
}

/** The largest difference in words. It is a net one, and the sentence says of what. */
function explained(rows, measure, scale) {
  const largest = rows.reduce((most, row) => (Math.abs(row.is - row.was) > Math.abs(most.is - most.was) ? row : most));
  const by = largest.is - largest.was;
  if (by === 0) return "As was and as is come to the same in this period, for each value that is shown.";
  const name = h("b", {}, said(largest.value));
  const figure = h("b", {}, amount(Math.abs(by), scale));
  return by > 0
    ? ["The largest difference: ", name, " has ", figure, ` more ${measure} as is than as was. Members that are `, said(largest.value), " today brought it in while they were still something else (less what came from members that no longer are)."]
    : ["The largest difference: ", name, " has ", figure, ` less ${measure} as is than as was. Members brought it in while they were `, said(largest.value), ", and are something else today (less what came from members that became so since)."];
}
