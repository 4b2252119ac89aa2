// The arithmetic of what is chosen: sums of integers, so that they are exact.

function sum(numbers) {
  return numbers.reduce((all, number) => all + number, 0);
}

/** The part of a series that lies in the chosen period, both ends with it. */
function within(series, { from, to }) {
  return series.slice(from, to + 1);
}

/** The measure that people mean by "sales": the first with decimals, else the first that is no count of rows. */
function mainMeasure(measures) {
  const money = measures.findIndex((measure) => measure.scale > 0);
  return money >= 0 ? money : Math.min(1, measures.length - 1);
}

/** A measure by bucket, of the chosen values as they were; of all rows where all are chosen. */
function chosenTotals(fact, at, measure) {
  const by = fact.breakdowns[at.by];
  if (!by || at.chosen.size === by.values.length) return within(fact.totals[measure], at);
  const series = [...at.chosen].map((value) => within(by.was[measure][value], at));
  return within(fact.buckets, at).map((_, bucket) => sum(series.map((one) => one[bucket])));
}

/** Whole numbers' quotient, rounded half away from zero. */
function quotient(units, parts) {
  return parts === 0 ? null : Math.sign(units) * Math.round(Math.abs(units) / parts);
}

/** One y-axis for several charts: from and to round numbers, nought with them. `stacks` are lists of series that are stacked or not. */
function commonExtent(stacks, scale, stacked) {
  let low = 0;
  let high = 0;
  for (const series of stacks) {
    if (!series.length) continue;
    for (let bucket = 0; bucket < series[0].length; bucket++) {
      const column = series.map((one) => one[bucket]);
      high = Math.max(high, stacked ? sum(column.filter((units) => units > 0)) : Math.max(...column));
      low = Math.min(low, stacked ? sum(column.filter((units) => units < 0)) : Math.min(...column));
    }
  }
  const unit = 10 ** scale;
  const step = roundStep((high - low) / unit / 5, scale);
  return { min: Math.floor(low / unit / step) * step, max: Math.max(Math.ceil(high / unit / step) * step, low < 0 ? 0 : step), step };
}

/** The next of 1, 2, 2.5 and 5 times a power of ten. Counts have whole steps. */
function roundStep(least, scale) {
  if (!(least > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 2.5, 5, 10].find((times) => times * power >= least * 0.999) * power;
  return scale ? step : Math.max(1, Math.ceil(step));
}
