// From which value to which members moved, for each tracked attribute.

function moves(list, facts) {
  const element = block(3, "Moves");
  const some = list.filter((move) => move.flows.length);
  if (!some.length) {
    element.append(sentence("No member has changed a tracked attribute: nobody moved."));
    return element;
  }
  const it = figure(4);
  const show = (move) => {
    const changes = sum(move.flows.map(([, , number]) => number));
    const ends = [0, 1].map((side) => [...new Set(move.flows.map((one) => one[side]))]);
    const values = [...new Set(ends.flat())];
    const total = (side, value) => sum(move.flows.filter((one) => one[side] === value).map((one) => one[2]));
    const id = (side, value) => `${side} ${values.indexOf(value)}`;
    const order = knownOrder(facts, move.attribute, values);
    const nodes = [0, 1].flatMap((side) => ends[side]
      .map((value) => ({ id: id(side, value), text: valueText(value), units: total(side, value), side, said: side ? "moved to" : "moved from", colour: (colours) => (value === null ? colours.none : colours.palette[order.indexOf(value) % 12]) }))
      .sort((a, b) => b.units - a.units));
    const title = `${noun(move.dimension)}: moves of ${words(move.attribute)}`;
    it.show({
      title,
      note: `${count(changes)} ${changes === 1 ? "change" : "changes"} of ${words(move.attribute)} among ${plural(move.members, "member")} of ${move.dimension}: from the left to the right.`,
      label: `${title}: ${[...move.flows].sort((a, b) => b[2] - a[2]).slice(0, 5).map(([from, to, number]) => `${count(number)} from ${cut(valueText(from), 40)} to ${cut(valueText(to), 40)}`).join("; ")}.`,
      options: flow(nodes, move.flows.map(([from, to, number]) => ({ from: id(0, from), to: id(1, to), number, said: "moved" }))),
      height: Math.max(220, 46 * Math.max(ends[0].length, ends[1].length) + 40),
      table: () => table(title, [
        { head: "From", wide: true, cell: ([from]) => said(from) },
        { head: "To", wide: true, cell: ([, to]) => said(to) },
        { head: "Moves", number: true, cell: ([, , number]) => count(number) },
      ], [...move.flows].sort((a, b) => b[2] - a[2])),
    });
  };
  const names = some.map((move, i) => [i, `${words(move.attribute)} (${move.dimension})`]);
  element.append(h("div", { class: "choices" }, choice("Attribute", names, 0, (i) => show(some[Number(i)]))), it.element);
  show(some[0]);
  return element;
}

/** Values in the order in which a fact is broken down by them, so that they have the same colours here as there. */
function knownOrder(facts, attribute, values) {
  const known = facts.flatMap((fact) => fact.breakdowns).find((by) => by.name.endsWith(`_${attribute}`) && by.values.some((value) => values.includes(value)));
  return known ? [...new Set([...known.values, ...values])] : values;
}
