// A member's life: its versions drawn in time, and in a table with what was measured in each.

/** `end` is where the drawings end: the newest time that is known, which need not be near today. */
function lives(list, end) {
  const place = h("div", { class: "block" });
  const some = list.filter((one) => one.members.length);
  if (!some.length) {
    place.append(sentence("No dimension keeps versions of members in this release."));
    return place;
  }
  const drawing = h("div", { class: "timeline" });
  const caption = h("h3");
  const note = h("p");
  const below = h("div");
  const members = h("div");
  const at = { life: some[0], member: some[0].members[0] };
  const show = () => {
    const { life, member } = at;
    caption.replaceChildren(said(member.label));
    note.textContent = `${titled(life.noun)} of ${life.dimension}: ${plural(member.versions.length, "version")}. A bar is a time in which a value held; a change begins with a stroke.`;
    timeline(drawing, life, member, end);
    below.replaceChildren(versionTable(life, member));
  };
  const chooseLife = (i) => {
    at.life = some[Number(i)];
    at.member = at.life.members[0];
    members.replaceChildren(choice(titled(at.life.noun), at.life.members.map((member, k) => [k, member.label]), 0, (k) => {
      at.member = at.life.members[Number(k)];
      show();
    }));
    show();
  };
  place.append(
    h("div", { class: "choices" }, choice("Dimension", some.map((life, i) => [i, life.dimension]), 0, chooseLife), members),
    h("figure", { class: "life" }, h("figcaption", {}, caption, note), drawing),
    below,
  );
  new ResizeObserver(() => {
    if (!printing && drawing.clientWidth && drawing.clientWidth !== Number(drawing.dataset.width)) timeline(drawing, at.life, at.member, end);
  }).observe(drawing);
  chooseLife(0);
  return place;
}

/** Which values of a version differ from those of the one before. */
function changedIn(member, i) {
  const [before, now] = [member.versions[i - 1], member.versions[i]];
  return now.values.map((value, k) => Boolean(before) && value !== before.values[k]);
}

function period({ from, to }) {
  return `${from === null ? "the beginning" : time(from)} – ${to === null ? "now" : time(to)}`;
}

/** A version's state, in words. */
function state(version) {
  return [version.deleted && "deleted", version.inferred && "inferred"].filter(Boolean);
}

function versionTable(life, member) {
  const rows = member.versions.map((version, i) => ({ ...version, changed: changedIn(member, i) }));
  const measured = life.measures || [];
  return table(`Versions of ${member.label}`, [
    { head: "Version", of: () => "kept", cell: (row) => [count(row.version), state(row).map((word) => h("span", { class: word === "deleted" ? "tag gone" : "tag" }, word))] },
    { head: "Period", of: () => "kept", cell: (row) => h("span", { title: `${row.from || "the beginning"} – ${row.to || "now"}` }, period(row)) },
    ...life.attributes.map((name, k) => ({ head: words(name), wide: true, of: (row) => (row.changed[k] ? "changed" : null), cell: (row) => (row.changed[k] ? h("mark", {}, h("span", { class: "heard" }, "changed: "), said(row.values[k])) : said(row.values[k])) })),
    ...measured.map(({ name, scale }, k) => ({ head: k ? words(name) : `${words(name)} of ${life.fact}`, number: true, cell: (row) => (row.sales ? amount(row.sales[k], scale) : "") })),
  ], rows);
}

/** Bars in time: the versions, and under them each attribute, where equal neighbours are one bar. */
function timeline(place, life, member, end) {
  const width = Math.max(280, place.clientWidth || 900);
  place.dataset.width = place.clientWidth;
  const versions = member.versions;
  const known = versions.flatMap(({ from, to }) => [from, to]).filter(Boolean).map(instant);
  const now = Math.max(instant(end), ...known);
  const first = known.length ? Math.min(...known) : now - 86400000;
  const lead = versions.some((version) => version.from === null) ? Math.max((now - first) * 0.12, 86400000) : 0;
  const start = first - lead;
  const x = (when) => ((when - start) / (now - start || 1)) * (width - 2) + 1;
  const left = (version) => (version.from === null ? 1 : x(instant(version.from)));
  const right = (version) => (version.to === null ? width - 1 : x(instant(version.to)));
  const parts = [];
  const lanes = [
    { name: "version", spans: versions.map((version, i) => ({ x0: left(version), x1: right(version), text: [`v${version.version}`, ...state(version)].join(" "), title: `Version ${version.version}, ${period(version)}`, version, fresh: i > 0, kind: "version" })) },
    ...life.attributes.map((name, k) => ({ name: words(name), spans: merged(versions, k).map(([a, b], i) => ({
      x0: left(versions[a]), x1: right(versions[b]), text: valueText(versions[a].values[k]), title: `${words(name)}: ${valueText(versions[a].values[k])}, ${period({ from: versions[a].from, to: versions[b].to })}`, fresh: i > 0, kind: i % 2 ? "odd" : "even",
    })) })),
  ];
  let y = 0;
  for (const lane of lanes) {
    parts.push(s("text", { class: "lane", x: 1, y: y + 13 }, lane.name));
    for (const span of lane.spans) parts.push(bar(span, y + 19, 28));
    y += 58;
  }
  parts.push(s("path", { class: "axis", d: `M1,${y}H${width - 1}` }));
  let free = 0;
  if (lead) {
    parts.push(s("text", { class: "tick", x: 1, y: y + 20 }, "beginning"));
    free = 78;
  }
  const ticks = [...new Set(versions.map((version) => version.from).filter(Boolean))].map((from) => [x(instant(from)), time(from).slice(0, 10)]);
  for (const [at, text] of [...ticks, [width - 1, "now"]]) {
    const last = text === "now";
    parts.push(s("path", { class: "axis", d: `M${at},${y}v5` }));
    const [from, to] = last ? [at - 30, at] : [at - 38, at + 38];
    if (from < free || (!last && to > width - 36)) continue;
    parts.push(s("text", { class: "tick", x: at, y: y + 20, "text-anchor": last ? "end" : "middle" }, text));
    free = to + 4;
  }
  const label = `${member.label}: ${versions.map((version, i) => `version ${version.version}, ${period(version)}${state(version).length ? ` (${state(version).join(", ")})` : ""}: ${life.attributes.map((name, k) => [name, version.values[k], i === 0 || changedIn(member, i)[k]]).filter(([, , told]) => told).map(([name, value]) => `${words(name)} ${cut(valueText(value), 40)}`).join(", ")}`).slice(0, 12).join("; ")}.`;
  place.style.minHeight = `${y + 28}px`;
  place.replaceChildren(s("svg", { viewBox: `0 0 ${width} ${y + 28}`, width, height: y + 28, role: "img", "aria-label": label }, hatching(), parts));
}

function instant(iso) {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
}

/** Runs of equal values: [first, last] version of each. */
function merged(versions, k) {
  const runs = [];
  versions.forEach((version, i) => {
    if (i && version.values[k] === versions[i - 1].values[k]) runs[runs.length - 1][1] = i;
    else runs.push([i, i]);
  });
  return runs;
}

function bar({ x0, x1, text, title, version, fresh, kind }, y, height) {
  const width = Math.max(2, x1 - x0 - 2);
  // A letter is about 7.4 wide at this size.
  const room = Math.floor((width - 14) / 7.4);
  const marks = [kind, version?.deleted && "deleted", version?.inferred && "inferred"].filter(Boolean).join(" ");
  return s("g", { class: "span" },
    s("title", {}, title),
    s("rect", { class: marks, x: x0, y, width, height, rx: 3 }),
    version?.deleted ? s("rect", { fill: "url(#hatch)", x: x0, y, width, height, rx: 3 }) : null,
    fresh ? s("path", { class: "fresh", d: `M${x0},${y - 3}v${height + 6}` }) : null,
    room >= 2 ? s("text", { class: kind, x: x0 + 8, y: y + height / 2 + 4.5 }, cut(text, room)) : null,
  );
}

function hatching() {
  return s("defs", {}, s("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, s("path", { class: "hatch", d: "M0,0V6" })));
}
