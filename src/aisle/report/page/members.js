// The members that a fact measures most, with the times at which they changed; and how large its baskets are.

/** The top members of a lookup in the chosen period. They are the first by the main measure over all time. */
function topMembers(fact, at) {
  const element = h("div", { class: "block" }, h("h4", {}, "Top members"));
  const tops = fact.top.filter((top) => top.members.length);
  if (!tops.length) {
    element.append(sentence(`${fact.table} looks up no members that could be ranked.`));
    return { element };
  }
  let chosen = 0;
  const note = h("p", { class: "doc" });
  const place = h("div");
  const show = () => {
    const top = tops[chosen];
    const { name, scale } = fact.measures[at.measure];
    const members = top.members
      .map((member) => ({ ...member, units: within(member.series[at.measure], at) }))
      .map((member) => ({ ...member, total: sum(member.units) }))
      .sort((a, b) => b.total - a.total);
    note.textContent = `The ${plural(members.length, "member")} of ${top.dimension} with the most ${words(fact.measures[mainMeasure(fact.measures)].name)} over all time, `
      + "by the measure and in the period chosen above. A stroke in a line is a time at which the member changed.";
    place.replaceChildren(table(`Top members by ${words(name)}`, [
      { head: titled(top.lookup), wide: true, cell: (member) => said(member.label) },
      { head: titled(name), number: true, cell: (member) => amount(member.total, scale) },
      { head: "Over time", cell: (member) => sparkline(fact, at, member, scale) },
      { head: "Versions", cell: changes },
    ], members));
  };
  if (tops.length > 1) {
    element.append(h("div", { class: "choices" }, choice("Members of", tops.map((top, i) => [i, `${words(top.lookup)} (${top.dimension})`]), 0, (i) => {
      chosen = Number(i);
      show();
    })));
  }
  element.append(note, place);
  return { element, show };
}

function changes(member) {
  if (!member.changes.length) return plural(member.versions, "version");
  return opening(plural(member.versions, "version"), () => h("ul", {}, member.changes.map(([when, what]) => h("li", {}, h("time", {}, time(when)), " ", said(what)))));
}

/** A member's measure over the period, with a stroke at each of its changes. */
function sparkline(fact, at, member, scale) {
  const [width, height] = [180, 32];
  const units = member.units;
  const [low, high] = [Math.min(0, ...units), Math.max(0, ...units)];
  const x = (i) => (units.length === 1 ? width / 2 : 2 + (i * (width - 4)) / (units.length - 1));
  const y = (number) => (high === low ? height - 3 : height - 3 - ((number - low) * (height - 8)) / (high - low));
  const points = units.map((number, i) => `${x(i).toFixed(1)},${y(number).toFixed(1)}`);
  const marks = member.changes.flatMap(([when, what]) => {
    const bucket = bucketOf(fact.buckets, fact.unit, when) - at.from;
    if (bucket < 0 || bucket >= units.length) return [];
    return s("g", {}, s("title", {}, `${time(when)}: ${what}`), s("path", { class: "hit", d: `M${x(bucket)},0V${height}` }), s("path", { class: "mark", d: `M${x(bucket)},1V${height - 1}` }));
  });
  const label = `${amount(sum(units), scale)} in all, at most ${amount(high, scale)} in one ${fact.unit}; ${plural(marks.length, "change")} in this period`;
  return s("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    s("path", { class: "area", d: `M${x(0)},${y(0)}L${points.join("L")}L${x(units.length - 1)},${y(0)}Z` }),
    s("path", { class: "line", d: units.length === 1 ? `M${x(0) - 3},${y(units[0])}h6` : `M${points.join("L")}` }),
    marks,
  );
}

/** The bucket that a time lies in: the last that begins no later; -1 before the first, their number after the last. */
function bucketOf(buckets, unit, when) {
  const day = when.slice(0, 10);
  const end = new Date(`${buckets[buckets.length - 1]}T00:00:00Z`);
  if (unit === "day") end.setUTCDate(end.getUTCDate() + 1);
  else if (unit === "year") end.setUTCFullYear(end.getUTCFullYear() + 1);
  else end.setUTCMonth(end.getUTCMonth() + (unit === "quarter" ? 3 : 1));
  if (day >= end.toISOString().slice(0, 10)) return buckets.length;
  let found = -1;
  while (found + 1 < buckets.length && buckets[found + 1] <= day) found += 1;
  return found;
}

/** How many rows a basket has, over the whole history. */
function baskets(fact) {
  if (!fact.baskets || !fact.baskets.sizes.length) return null;
  const { of, sizes } = fact.baskets;
  const bars = tail(sizes, 20);
  const all = sum(sizes.map(([, number]) => number));
  const it = figure(4);
  const title = `Sizes of ${words(of)}`;
  const most = sizes.reduce((a, b) => (b[1] > a[1] ? b : a));
  it.show({
    title,
    note: `How many rows of ${fact.table} each of ${count(all)} ${words(of)} has, over all time.`,
    label: `${title}: ${count(all)} in all, most of them (${count(most[1])}) with ${plural(most[0], "row")}.`,
    options: histogram(bars, words(of)),
    table: () => table(title, [
      { head: "Rows", cell: ([size]) => count(size) },
      { head: titled(of), number: true, cell: ([, number]) => count(number) },
      { head: "Share", number: true, cell: ([, number]) => share(number, all) },
    ], sizes),
  });
  return { element: it.element };
}

/** Sizes as bars without gaps between them; beyond `most` they share one. */
function tail(sizes, most) {
  const largest = Math.max(...sizes.map(([size]) => size));
  const bars = Array.from({ length: Math.min(largest, most) }, (_, i) => [String(i + 1), 0]);
  for (const [size, number] of sizes) if (size >= 1 && size <= most) bars[size - 1][1] += number;
  const more = sum(sizes.filter(([size]) => size > most).map(([, number]) => number));
  return more ? [...bars, [`${most + 1}+`, more]] : bars;
}
