// The page: what the data says, section by section.

const DATA = JSON.parse(document.getElementById("data").textContent);

/** What is to be known first: how much there is, and whether it can be relied on. */
function lead({ star, doc, release, made_at: madeAt, personal, business, trust, model }) {
  const rows = sum(business.map((fact) => fact.rows));
  const delivered = sum(trust.sources.map((source) => source.rows));
  const last = newest(trust.sources);
  const aside = sum(trust.sources.map((source) => source.quarantined));
  const broken = trust.findings.filter((finding) => !finding.holds).length;
  const facts = business.length ? `${plural(rows, "row")} in ${plural(business.length, "fact")}` : "no facts";
  const { length } = model.matrix.dimensions;
  const text = [
    `${titled(star)} has ${facts}${length ? ` and ${plural(length, "dimension")}` : ""}. `,
    delivered ? `${plural(delivered, "row")} came in` : "Nothing has been delivered yet.",
    delivered && last ? [", the newest of ", h("span", { class: "kept" }, last.slice(0, 10))] : null,
    delivered ? `; ${aside ? `${count(aside)} ${aside === 1 ? "is" : "are"}` : "none is"} in quarantine.` : null,
  ];
  document.getElementById("title").textContent = titled(star);
  document.querySelector(".lead").append(
    doc ? h("p", { class: "doc" }, doc) : "",
    h("p", { class: "summary" }, text),
    h("p", { class: "stamp" },
      h("span", {}, `Release ${count(release)}`), h("span", {}, "made ", h("time", { datetime: madeAt }, time(madeAt))),
      trust.findings.length ? h("a", { href: "#trust" }, verdict(!broken, broken ? `${count(broken)} of ${plural(trust.findings.length, "law")} broken` : "all laws hold")) : null,
    ),
    personal ? h("p", { class: "warning" }, "This page shows personal data. Handle it as such.") : "",
  );
}

/** The newest time that any source has delivered; nothing if none has times. */
function newest(sources) {
  return sources.map((source) => source.newest).filter(Boolean).sort().pop();
}

function header({ star, release, made_at: madeAt }) {
  const [name, made] = document.querySelector("header .star").children;
  name.append(h("bdi", {}, titled(star)));
  made.append(`Release ${count(release)}`, h("span", {}, ` · ${time(madeAt)}`));
  themeSwitch(document.querySelector("header .theme"));
}

/** Marks the section that is being read in the header. */
function whereAmI() {
  const links = new Map([...document.querySelectorAll("header nav a")].map((link) => [link.hash.slice(1), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) links.get(target.id).setAttribute("aria-current", "true");
      else links.get(target.id).removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  for (const id of links.keys()) seen.observe(document.getElementById(id));
}

const section = (id) => document.getElementById(id);

/** What is seen at first: it is painted while the chart library, which stands after this script, is still being read. */
function first(data) {
  header(data);
  lead(data);
  section("business").querySelector(".intro").append(` Days are those of ${data.zone}.`);
  if (data.business.length) section("business").append(explorer(data.business[0], 0));
  else section("business").append(sentence("The star has no facts: nothing is measured."));
}

function rest(data) {
  const { business, trust, model } = data;
  section("business").append(...business.slice(1).map((fact, i) => explorer(fact, i + 1)), moves(data.moves, business));
  section("trust").append(
    laws(trust.findings), sources(trust, data.made_at), lateness(trust.sources), quarantine(trust.quarantine),
    drops(trust.drops, trust.drops_left_out), releases(trust.releases),
  );
  watchScrolling(document.querySelector(".diagram .scroll"));
  section("model").append(matrix(model.matrix), dictionary(model.tables));
  section("lives").append(lives(data.lives, newest(trust.sources) || data.made_at));
  document.querySelector("footer").append(h("p", {}, `Made by aisle ${data.aisle} from release ${count(data.release)} of ${data.star}. Nothing in this page comes from a network, and nothing leaves it.`));
  whereAmI();
}

first(DATA);
document.addEventListener("DOMContentLoaded", () => rest(DATA));
