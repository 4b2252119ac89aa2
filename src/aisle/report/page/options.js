// What ECharts is asked to draw. Whatever it shows of the data passes as text: labels by functions, tooltips as elements.

/** What stands beside the pointer: a heading, and rows of [colour or null, name, figure]. */
function tip(heading, rows) {
  return h("div", { class: "tip" },
    h("p", {}, cut(heading, 80)),
    rows.map(([colour, name, figure]) => {
      const swatch = h("i");
      if (colour) swatch.style.background = colour;
      return h("div", {}, swatch, h("bdi", {}, cut(name, 40)), h("b", {}, figure));
    }),
  );
}

function tooltip(colours, trigger, formatter) {
  return {
    trigger,
    formatter,
    confine: true,
    transitionDuration: 0,
    backgroundColor: colours.card,
    borderColor: colours.line,
    borderWidth: 1,
    padding: 0,
    textStyle: { color: colours.ink, fontSize: 13, fontFamily: colours.font },
    axisPointer: { type: "shadow", shadowStyle: { color: colours.ink, opacity: 0.06 }, label: { show: false } },
  };
}

/** The frame of a chart: what is measured upwards, by categories. */
function axes(colours, width, labels, { extent = null, minInterval = 0 } = {}) {
  const text = { color: colours.soft, fontSize: 12 };
  const step = labelStep(labels, width);
  return {
    grid: { left: 2, right: 4, top: 12, bottom: 6, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    xAxis: {
      type: "category",
      data: labels,
      axisLabel: { ...text, interval: (i) => i % step === 0, formatter: (label) => cut(String(label), 24) },
      axisLine: { lineStyle: { color: colours.soft } },
      axisTick: { show: false },
    },
    yAxis: {
      type: "value",
      ...(extent && { min: extent.min, max: extent.max, interval: extent.step }),
      minInterval,
      axisLabel: { ...text, formatter: short },
      splitLine: { lineStyle: { color: colours.line } },
      splitNumber: 4,
    },
  };
}

/** Every which label is shown, so that none touches the next. (The library would choose before it knows how wide the axis is.) */
function labelStep(labels, width) {
  const letters = Math.min(24, Math.max(1, ...labels.map((label) => label.length)));
  // A digit is about 7 wide at this size, the axis' own figures about 68.
  return Math.max(1, Math.ceil((labels.length * (letters * 7 + 16)) / (width - 68)));
}

/** Series over time, [{name, units, colour: colours → colour, dashed}], as lines or as stacked bars; units are integers. */
function overTime({ labels, series, scale, bars, extent }) {
  return (colours, width) => ({
    ...axes(colours, width, labels, { extent, minInterval: scale ? 0 : 1 }),
    tooltip: tooltip(colours, "axis", (points) => {
      const at = points[0].dataIndex;
      return tip(labels[at], series.map((one) => [one.colour(colours), one.name, amount(one.units[at], scale)]));
    }),
    series: series.map((one, i) => ({
      type: bars ? "bar" : "line",
      name: String(i),
      stack: bars ? "all" : null,
      data: one.units.map((units) => units / 10 ** scale),
      color: one.colour(colours),
      barMaxWidth: 46,
      barCategoryGap: "28%",
      lineStyle: { width: 2, type: one.dashed ? [5, 4] : "solid" },
      symbol: SYMBOLS[i % SYMBOLS.length],
      symbolSize: 6,
      showSymbol: labels.length <= 31,
      emphasis: { focus: series.length > 1 ? "series" : "none" },
      blur: { itemStyle: { opacity: 0.25 }, lineStyle: { opacity: 0.25 } },
    })),
  });
}
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond"];

/** One row of bars: [label, number] each. */
function histogram(bars, name, colour = (colours) => colours.accent) {
  return (colours, width) => ({
    ...axes(colours, width, bars.map(([label]) => label), { minInterval: 1 }),
    tooltip: tooltip(colours, "axis", (points) => {
      const [label, number] = bars[points[0].dataIndex];
      return tip(label, [[colour(colours), name, count(number)]]);
    }),
    series: [{ type: "bar", data: bars.map(([, number]) => number), color: colour(colours), barMaxWidth: 46, barCategoryGap: "22%" }],
  });
}

/**
 * A flow from left to right. A node is {id, text, units, colour: colours → colour, side: 0 left, 1 right};
 * a link is {from, to, number}, in the colour of its source or its target.
 */
function flow(nodes, links, colouredBy = "source") {
  const text = new Map(nodes.map((node) => [node.id, node.text]));
  return (colours, width) => ({
    tooltip: tooltip(colours, "item", ({ dataType, data }) =>
      dataType === "edge"
        ? tip(`${cut(text.get(data.source), 36)} → ${cut(text.get(data.target), 36)}`, [[null, data.said, count(data.value)]])
        : tip(data.text, [[null, data.said, count(data.units)]])),
    series: [{
      type: "sankey",
      left: 0,
      right: 0,
      top: 8,
      bottom: 8,
      nodeWidth: 10,
      nodeGap: 14,
      draggable: false,
      layoutIterations: 0,
      emphasis: { focus: "adjacency" },
      blur: { itemStyle: { opacity: 0.3 }, lineStyle: { opacity: 0.08 }, label: { opacity: 0.5 } },
      label: { fontSize: 13, fontFamily: colours.font, color: colours.ink, textBorderColor: colours.paper, textBorderWidth: 3 },
      lineStyle: { color: colouredBy, opacity: 0.3, curveness: 0.5 },
      data: nodes.map((node) => ({
        name: node.id,
        text: node.text,
        said: node.said,
        units: node.units,
        depth: node.side,
        itemStyle: { color: node.colour(colours), borderWidth: 0 },
        label: {
          position: node.side ? "left" : "right",
          width: Math.max(90, width * 0.34),
          overflow: "truncate",
          formatter: () => `${cut(node.text, 60)}  ${count(node.units)}`,
        },
      })),
      links: links.map(({ from, to, number, said: of }) => ({ source: from, target: to, value: number, said: of })),
    }],
  });
}
