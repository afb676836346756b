// Elements, text and times. Whatever comes from data becomes text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; strings become text. `on` holds listeners. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same in SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, { on = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) node.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on)) node.addEventListener(name, listener);
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

/** Text of a node, written only if it is another. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Calls `draw` only when the data is not what it was: nothing moves under the pointer for nothing. */
export function whenChanged(draw) {
  let before;
  return (data, ...more) => {
    const now = JSON.stringify(data);
    if (now === before) return;
    before = now;
    draw(data, ...more);
  };
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const DAY_MS = 86_400_000;

/** A wall-clock time in the reader's zone, with UTC in the title. */
export function clock(ms) {
  const date = new Date(ms);
  const isToday = Math.abs(Date.now() - ms) < DAY_MS && date.getDate() === new Date().getDate();
  const text = isToday ? CLOCK.format(date) : `${date.toLocaleDateString("sv")} ${CLOCK.format(date)}`;
  return el("time", { datetime: date.toISOString(), title: utc(ms) }, text);
}

/** An event time, in UTC, as the events have it. */
export function eventTime(ms) {
  return ms === null ? "" : el("time", { datetime: new Date(ms).toISOString(), title: utc(ms) }, minute(ms));
}

export function minute(ms) {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export function utc(ms) {
  return `${new Date(ms).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** How long ago, in words; far away times are said as such. */
export function ago(ms, now) {
  const seconds = Math.max(0, (now - ms) / 1000);
  if (seconds < 120) return `${Math.round(seconds)} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 2 * 86_400 ? `${Math.round(seconds / 3600)} h ago` : minute(ms);
}

export const count = (n) => n.toLocaleString("en-US");
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

const ELSEWHERE = { new: "new", dormant: "dormant", closed: "closed" };

/** The class that gives a segment its colour, the same everywhere and for ever. */
export function colour(id) {
  const number = /^s(\d+)$/.exec(id);
  return number ? `seg${Number(number[1]) % 8}` : "other";
}

/** A segment: colour, id, name; or one of the places outside of all segments. */
export function segment(id, name = "") {
  if (id in ELSEWHERE) return el("span", { class: "segment other" }, ELSEWHERE[id]);
  return el("span", { class: `segment ${colour(id)}` }, el("b", {}, id), name ? ` ${name}` : "");
}

export const placeWords = (id) => ELSEWHERE[id] ?? id;

/** A table of rows; a cell is a string or a node; `numbers` are the columns set to the right. */
export function table(caption, heads, rows, numbers = []) {
  const classes = (i) => (numbers.includes(i) ? "number" : null);
  return el(
    "table", {},
    el("caption", { class: caption.hidden ? "unseen" : null }, caption.text ?? caption),
    el("thead", {}, el("tr", {}, ...heads.map((head, i) => el("th", { scope: "col", class: classes(i) }, head)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell, i) =>
      i === 0 ? el("th", { scope: "row" }, cell) : el("td", { class: classes(i) }, cell))))),
  );
}
