// Numbers, times and names, as people read them.

const MINUS = "\u2212";

/** A whole number with thousands separators. */
function count(number) {
  return amount(number, 0);
}

/** An integer in units of 10^-scale, exactly: 1234567 at scale 2 is 12,345.67. */
function amount(units, scale) {
  const digits = String(Math.abs(units)).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale).replace(/\B(?=(\d{3})+$)/g, ",");
  return (units < 0 ? MINUS : "") + whole + (scale ? `.${digits.slice(-scale)}` : "");
}

/** The same with its sign said, for a difference. */
function difference(units, scale) {
  return (units > 0 ? "+" : "") + amount(units, scale);
}

/** A share of a whole, with one digit: nearly all is not all, and little is not nothing. A whole of nothing has no shares. */
function share(part, whole) {
  if (whole === 0) return "";
  const percent = ((100 * part) / whole).toFixed(1);
  if (percent === "100.0" && part !== whole) return "> 99.9 %";
  return percent === "0.0" && part !== 0 ? "< 0.1 %" : `${percent.replace("-", MINUS)} %`;
}

/** An axis' number: short, as the exact one stands in the table. */
function short(number) {
  return SHORT.format(number).replace("-", MINUS);
}
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** "1 row", "2 rows", "1,000 rows". */
function plural(number, noun) {
  return `${count(number)} ${number === 1 ? noun : `${noun}s`}`;
}

/** "a, b and c". */
function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** A name of the declaration as words: net_amount is "net amount". */
function words(name) {
  return name.replace(/_/g, " ");
}

/** The same to begin a title with. */
function titled(name) {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A table's name as a title: fact_sales is "Sales". */
function noun(table) {
  return titled(table.replace(/^(dim|fact)_/, ""));
}

/** A value of the data; what is missing has words of its own. */
function valueText(value) {
  if (value === null) return "no value";
  return value === "" ? "empty text" : String(value);
}

/** At most so many characters, for where no more have room. */
function cut(text, length) {
  const letters = Array.from(text);
  return letters.length <= length ? text : `${letters.slice(0, length - 1).join("")}…`;
}

/** An ISO time to the minute, a midnight as its day. UTC is said where the time has a zone. */
function time(iso) {
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$/.exec(iso);
  if (!parts) return iso;
  const [, day, minute, second, zone] = parts;
  if (!zone && minute === "00:00" && Number(second || 0) === 0) return day;
  const said = zone === undefined ? "" : /^(Z|[+-]00:?00)$/.test(zone) ? " UTC" : ` ${zone}`;
  return `${day} ${minute}${said}`;
}

/** A bucket by its first day: 2025-01-01, 2025-01, 2025-Q1 or 2025. */
function bucketText(day, unit) {
  if (unit === "month") return day.slice(0, 7);
  if (unit === "quarter") return `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`;
  return unit === "year" ? day.slice(0, 4) : day;
}

/** How long before another time one lies: "3 days before". */
function age(iso, before) {
  const minutes = Math.round((Date.parse(before) - Date.parse(iso)) / 60000);
  if (Number.isNaN(minutes)) return "";
  const size = Math.abs(minutes);
  const said = size < 60 ? plural(size, "minute") : size < 48 * 60 ? plural(Math.floor(size / 60), "hour") : plural(Math.floor(size / 1440), "day");
  return minutes < 0 ? `${said} after` : `${said} before`;
}
