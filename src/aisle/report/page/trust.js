// Whether the figures can be relied on: laws, what became of the rows, how late they came, what was set aside, the releases.

function laws(findings) {
  const element = block(3, "Laws");
  if (!findings.length) {
    element.append(sentence("No law was looked at when this page was made."));
    return element;
  }
  const broken = findings.filter((finding) => !finding.holds);
  element.append(
    h("p", { class: "doc" }, broken.length
      ? `${count(broken.length)} of ${plural(findings.length, "law")} ${broken.length === 1 ? "is" : "are"} broken: what rests on ${broken.length === 1 ? "it" : "them"} must not be relied on until that is mended.`
      : `${findings.length === 1 ? "The one law holds" : `All ${count(findings.length)} laws hold`}.`),
    h("ul", { class: "laws" }, [...broken, ...findings.filter((finding) => finding.holds)].map(law)),
  );
  return element;
}

function law({ law: name, says, holds, offenders }) {
  return h("li", { class: holds ? "law" : "law broken" },
    h("div", {}, verdict(holds, holds ? "holds" : "broken")),
    h("div", {},
      h("p", {}, h("b", {}, titled(name)), " ", h("span", {}, says)),
      offenders.length ? h("details", { open: !holds }, h("summary", {}, plural(offenders.length, "offender")), offending(name, offenders)) : null,
    ),
  );
}

/** Offenders have whatever columns tell them. */
function offending(name, offenders) {
  const names = [...new Set(offenders.flatMap((offender) => Object.keys(offender)))];
  const cell = (value) => said(value === null || value === undefined ? null : typeof value === "object" ? JSON.stringify(value) : value);
  return table(`Offenders of ${words(name)}`, names.map((column) => ({ head: words(column), wide: true, cell: (row) => cell(row[column]) })), offenders);
}

/** What became of the rows of each source, as a picture and in figures, with how fresh each source is. */
function sources(trust, madeAt) {
  const element = block(3, "What became of each row");
  if (!trust.sources.length) {
    element.append(sentence("The star has no sources."));
    return element;
  }
  const rows = sum(trust.sources.map((source) => source.rows));
  if (rows) element.append(fates(trust.sources, rows).element);
  else element.append(sentence("No rows have been delivered."));
  element.append(table("Sources: what was delivered, and what became of it", [
    { head: "Source", cell: (source) => said(source.name) },
    ...["drops", "rows", "silver", "duplicates", "quarantined"].map((name) => ({ head: titled(name), number: true, cell: (source) => count(source[name]) })),
    { head: "Drops refused", number: true, cell: (source) => count(source.refused), of: (source) => (source.refused ? "bad" : null) },
    { head: "Drops held", number: true, cell: (source) => count(source.held), of: (source) => (source.held ? "bad" : null) },
    { head: "Newest", of: () => "kept", cell: (source) => (source.newest === null ? h("span", { class: "none" }, "has no times") : [time(source.newest), h("span", { class: "small" }, ` ${age(source.newest, madeAt)} the release`)]) },
  ], trust.sources));
  return element;
}

function fates(list, rows) {
  const fate = [["silver", "Silver", "accent"], ["duplicates", "Duplicates", "rest"], ["quarantined", "Quarantine", "bad"]];
  const delivering = list.filter((source) => source.rows);
  const nodes = [
    ...delivering.map((source, i) => ({ id: `source ${i}`, text: source.name, units: source.rows, side: 0, said: "rows delivered", colour: (colours) => colours.soft })),
    ...fate.map(([name, text, colour]) => ({ id: name, text, units: sum(list.map((source) => source[name])), side: 1, said: "rows", colour: (colours) => colours[colour] })).filter((node) => node.units),
  ];
  const links = delivering.flatMap((source, i) => fate.filter(([name]) => source[name]).map(([name]) => ({ from: `source ${i}`, to: name, number: source[name], said: "rows" })));
  const it = figure(4);
  const title = "From source to silver";
  it.show({
    title,
    note: `${plural(rows, "row")} came in. Each of them is in silver, an exact duplicate of one that is, or in quarantine.`,
    label: `${title}: ${fate.map(([name, text]) => `${count(sum(list.map((source) => source[name])))} ${text.toLowerCase()}`).join(", ")}.`,
    options: flow(nodes, links, "target"),
    height: Math.max(240, 54 * delivering.length + 30),
    table: () => table(title, [
      { head: "Source", cell: (source) => said(source.name) },
      ...fate.map(([name, text]) => ({ head: text, number: true, cell: (source) => `${count(source[name])} ${source.rows ? `(${share(source[name], source.rows)})` : ""}` })),
    ], list),
  });
  return it;
}

/** How far rows lay behind what had been delivered before them, for each source that has times. */
function lateness(list) {
  const element = block(3, "How late rows came");
  const timed = list.filter((source) => source.late && source.late.length);
  if (!timed.length) {
    element.append(sentence("No source has delivered rows with times: lateness is not known."));
    return element;
  }
  const charts = [];
  const punctual = [];
  for (const source of timed) {
    const [[, onTime], ...late] = source.late;
    const all = sum(source.late.map(([, number]) => number));
    const behind = all - onTime;
    if (!behind) {
      punctual.push(source);
      continue;
    }
    const it = figure(4);
    it.show({
      title: titled(source.name),
      note: `${count(onTime)} of ${plural(all, "row")} came on time (${share(onTime, all)}). The ${count(behind)} others, by how late:`,
      label: `Late rows of ${source.name}: ${late.map(([label, number]) => `${label} ${count(number)}`).join(", ")}; on time ${count(onTime)}.`,
      options: histogram(late, "rows", (colours) => colours.warn),
      height: 170,
      table: () => table(`Rows of ${source.name} by how late they came`, [
        { head: "How late", cell: ([label]) => label },
        { head: "Rows", number: true, cell: ([, number]) => count(number) },
        { head: "Share", number: true, cell: ([, number]) => share(number, all) },
      ], source.late),
    });
    charts.push(it.element);
  }
  element.append(h("p", { class: "doc" }, "A row is late by how far its time lies behind the newest that its source had delivered before it."));
  if (charts.length) element.append(h("div", { class: "several" }, charts));
  for (const source of punctual) {
    const rows = sum(source.late.map(([, number]) => number));
    element.append(h("p", { class: "small" }, h("bdi", {}, titled(source.name)), rows ? `: all of ${plural(rows, "row")} came on time.` : ": no rows."));
  }
  return element;
}

function quarantine(reasons) {
  const element = block(3, "Quarantine");
  if (!reasons.length) {
    element.append(sentence("No row is in quarantine."));
    return element;
  }
  const rows = sum(reasons.map((reason) => reason.rows));
  const most = Math.max(...reasons.map((reason) => reason.rows));
  const lines = [...reasons].sort((a, b) => b.rows - a.rows).map((reason) => h("li", {}, whyAside(reason, most)));
  element.append(
    h("p", { class: "doc" }, `${plural(rows, "row")} broke the contract and ${rows === 1 ? "is" : "are"} set aside, whole, with every reason.`),
    h("ul", { class: "reasons" }, lines.slice(0, 12)),
  );
  if (lines.length > 12) element.append(h("details", { class: "printed" }, h("summary", {}, `${plural(lines.length - 12, "more reason")}`), h("ul", { class: "reasons" }, lines.slice(12))));
  return element;
}

/** A reason, which opens to samples where there are some. */
function whyAside(reason, most) {
  const bar = h("i");
  bar.style.width = `${(100 * reason.rows) / most}%`;
  const line = [h("b", { class: "number" }, count(reason.rows)), h("code", {}, said(reason.source)), h("span", {}, said(reason.reason)), h("span", { class: "measure", "aria-hidden": "true" }, bar)];
  if (!reason.samples.length) return h("div", { class: "reason" }, line);
  return opening(h("div", { class: "reason" }, line), () => samples(reason));
}

function samples(reason) {
  return table(`Samples of ${reason.source}: ${reason.reason}`, [
    { head: "Drop", cell: (sample) => said(sample.drop) },
    { head: "Line", number: true, cell: (sample) => (sample.line === null ? said(null) : count(sample.line)) },
    { head: "Row", wide: true, cell: (sample) => h("code", { class: "row" }, sample.row) },
  ], reason.samples);
}

/** What each release changed, newest first; and the same as a picture, oldest first. */
function releases(list) {
  const element = block(3, "Releases");
  if (!list.length) {
    element.append(sentence("There is no release yet."));
    return element;
  }
  const changed = (release, side) => sum(Object.values(release.tables).map((counts) => counts[side]));
  if (list.length > 1) element.append(releaseChart([...list].reverse(), changed).element);
  element.append(paged("Releases, newest first", [
    { head: "Release", number: true, cell: (release) => count(release.number) },
    { head: "Made", cell: (release) => h("time", {}, time(release.made_at)) },
    { head: "What", wide: true, cell: (release) => said(release.says) },
    { head: "Took", number: true, cell: (release) => (release.seconds === null ? said(null) : `${release.seconds.toFixed(1)} s`) },
    { head: "Rows written and taken back", wide: true, cell: tablesChanged },
  ], list, 20));
  return element;
}

function tablesChanged(release) {
  const names = Object.keys(release.tables).filter((name) => release.tables[name].some(Boolean));
  if (!names.length) return h("span", { class: "none" }, "nothing");
  return names.map((name) => h("span", { class: "change" },
    h("code", {}, name), " ", h("span", { class: "plus" }, `+${count(release.tables[name][0])}`),
    release.tables[name][1] ? [" ", h("span", { class: "minus" }, `${MINUS}${count(release.tables[name][1])}`)] : null));
}

function releaseChart(list, changed) {
  const it = figure(4);
  const labels = list.map((release) => String(release.number));
  const series = [["rows written", 0, 1, "accent"], ["rows taken back", 1, -1, "warn"]].map(([name, side, sign, colour]) => ({ name, units: list.map((release) => sign * changed(release, side)), colour: (colours) => colours[colour] }));
  it.show({
    title: "What each release changed",
    note: "Rows written into the star, upwards, and rows taken back or replaced, downwards; oldest release first.",
    label: `Rows written by release: ${list.slice(-6).map((release) => `release ${release.number}, ${count(changed(release, 0))} written and ${count(changed(release, 1))} taken back`).join("; ")}.`,
    options: overTime({ labels, series, scale: 0, bars: true }),
    table: () => table("What each release changed", [
      { head: "Release", cell: (release) => count(release.number) },
      { head: "Written", number: true, cell: (release) => count(changed(release, 0)) },
      { head: "Taken back", number: true, cell: (release) => count(changed(release, 1)) },
    ], list),
  });
  return it;
}
