// Charts: drawn when they come near the view, anew when choices or the theme change, all of them before printing.

const CHARTS = new Set();
const CALM = matchMedia("(prefers-reduced-motion: reduce)");
const PRINTED = { full: 700, half: 340 };

/** The page's colours and font, as they are now. */
function look() {
  const styles = getComputedStyle(document.documentElement);
  const colour = (name) => styles.getPropertyValue(`--${name}`).trim();
  const names = ["paper", "card", "ink", "soft", "line", "accent", "good", "bad", "warn", "rest", "none"];
  return {
    ...Object.fromEntries(names.map((name) => [name, colour(name)])),
    palette: Array.from({ length: 12 }, (_, i) => colour(`c${i}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** A place for a chart. `show` takes its description in words, and a function from colours to ECharts' options. */
function chart(group = null) {
  const element = h("div", { class: "chart", role: "img" });
  const it = { element, group, options: null, drawn: null, near: false, width: 0, height: 0 };
  it.show = (label, options, height = 260) => {
    element.setAttribute("aria-label", label);
    // Its room is taken before it is drawn, so that nothing moves then.
    element.style.height = `${height}px`;
    it.height = height;
    it.options = options;
    if (it.drawn || it.near) draw(it);
  };
  CHARTS.add(it);
  element.chart = it;
  NEAR.observe(element);
  WIDTHS.observe(element);
  return it;
}

const NEAR = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const it = target.chart;
    if (!isIntersecting || it.near) continue;
    it.near = true;
    NEAR.unobserve(target);
    if (it.options) draw(it);
  }
}, { rootMargin: "500px" });

const WIDTHS = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const it = target.chart;
    if (it.near && !printing && target.clientWidth && target.clientWidth !== it.width) draw(it);
  }
});

function draw(it) {
  // The library stands after this script, so that the page is painted before it is read.
  if (!globalThis.echarts || !it.options || !(it.element.clientWidth || printing)) return;
  const width = printing ? PRINTED[it.element.closest(".pair:not(.single), .several") ? "half" : "full"] : it.element.clientWidth;
  const { height } = it;
  if (!it.drawn) {
    it.drawn = globalThis.echarts.init(it.element, null, { renderer: "svg", width, height });
    // With a view box a printed page can make the chart narrower.
    it.drawn.on("rendered", () => {
      const drawing = it.element.querySelector("svg");
      if (drawing) drawing.setAttribute("viewBox", `0 0 ${it.drawn.getWidth()} ${it.drawn.getHeight()}`);
    });
    if (it.group) {
      it.drawn.group = it.group;
      globalThis.echarts.connect(it.group);
    }
  } else if (it.width !== width || it.drawn.getHeight() !== height) {
    it.drawn.resize({ width, height, silent: true });
  }
  it.width = width;
  const colours = look();
  it.drawn.setOption({ ...manners(colours), ...it.options(colours, width) }, { notMerge: true });
  if (printing) it.drawn.getZr().flush();
}

/** What all charts have in common. */
function manners(colours) {
  return {
    animation: !printing && !CALM.matches,
    animationDuration: 350,
    animationDurationUpdate: 250,
    backgroundColor: "transparent",
    textStyle: { fontFamily: colours.font, color: colours.ink },
    stateAnimation: { duration: CALM.matches ? 0 : 150 },
  };
}

function drawAll() {
  for (const it of CHARTS) {
    if (it.element.isConnected && it.options) draw(it);
  }
}

let printing = false;
let theme = document.documentElement.dataset.theme;

/** Light or dark; all that is drawn follows. */
function paint(name) {
  document.documentElement.dataset.theme = name;
  for (const it of CHARTS) if (it.drawn) draw(it);
}

/** On paper: light, every chart drawn, and as wide as paper is. */
function print(on) {
  if (printing === on) return;
  printing = on;
  document.documentElement.dataset.theme = on ? "light" : theme;
  for (const details of document.querySelectorAll("details.printed")) {
    if (on) {
      details.make?.();
      details.dataset.was = details.open ? "open" : "closed";
      details.open = true;
    } else if (details.dataset.was === "closed") details.open = false;
  }
  if (on) drawAll();
  else for (const it of CHARTS) if (it.drawn) draw(it);
}

addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
matchMedia("print").addEventListener("change", (event) => print(event.matches));
document.addEventListener("DOMContentLoaded", () => {
  for (const it of CHARTS) if (it.near) draw(it);
});

/** The switch in the header: begins as the system says, and follows it until it is used. */
function themeSwitch(button) {
  let own = false;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const set = (name) => {
    theme = name;
    button.setAttribute("aria-pressed", String(name === "dark"));
    paint(name);
  };
  button.addEventListener("click", () => {
    own = true;
    set(theme === "dark" ? "light" : "dark");
  });
  dark.addEventListener("change", () => own || set(dark.matches ? "dark" : "light"));
  button.setAttribute("aria-pressed", String(theme === "dark"));
}

/** A chart with its title, its note, and its figures as a table. `show` takes {title, note, label, options, height, table}. */
function figure(level, group = null) {
  const title = h(`h${level}`);
  const note = h("p");
  const drawing = chart(group);
  let fill = () => null;
  const refill = () => alternative.replaceChildren(alternative.firstElementChild, ...[fill()].flat().filter(Boolean));
  const alternative = h("details", { class: "alternative", on: { toggle: () => alternative.open && refill() } }, h("summary", {}, "As a table"));
  const element = h("figure", {}, h("figcaption", {}, title, note), drawing.element, alternative);
  const show = (of) => {
    title.textContent = of.title;
    note.textContent = of.note || "";
    note.hidden = !of.note;
    alternative.firstElementChild.textContent = `As a table: ${of.title.charAt(0).toLowerCase()}${of.title.slice(1)}`;
    fill = of.table;
    if (alternative.open) refill();
    drawing.show(of.label, of.options, of.height);
  };
  return { element, show };
}
