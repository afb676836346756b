// The drift timeline: what befell the segments, from the ledger, whatever kinds of entries there are.

import { clock, colour, el, eventTime, minute, say, segment, svg, whenChanged } from "./dom.js";

const WORDS = {
  born: "born", shifted: "shifted", split: "split", merged: "merged", renamed: "renamed", retiring: "retiring", retired: "retired", drift: "drift",
};
const LOUD = { drift: "drift", born: "drift", split: "drift", merged: "careful", retiring: "careful", retired: "careful" };
const [HEIGHT, EDGE] = [44, 12];

const draw = whenChanged(({ ledger, replay }, host) => {
  say(host.querySelector(".takeaway"), takeaway(ledger));
  host.querySelector(".chart").replaceChildren(...(ledger.length > 1 ? [strip(ledger, replay, host.querySelector(".chart").clientWidth || 600)] : []));
  host.querySelector("ol").replaceChildren(...ledger.map((entry) => el(
    "li", {},
    replay ? eventTime(entry.occurred) : entry.decided === null ? "" : clock(entry.decided),
    el("span", {}, el("span", { class: `tag ${LOUD[entry.kind] ?? ""}` }, WORDS[entry.kind] ?? entry.kind)),
    el("span", {}, entry.segment ? segment(entry.segment, entry.name) : entry.name, entry.text ? `: ${rest(entry)}` : ""),
  )));
});

export function drawTimeline(host, ledger, replay) {
  draw({ ledger, replay }, host);
}

/** The text of an entry begins with what stands before it already. */
function rest({ segment: id, name, kind, text }) {
  const known = `${id} '${name}' ${kind}, `;
  return text.startsWith(known) ? text.slice(known.length) : text;
}

function takeaway(ledger) {
  if (!ledger.length) return "nothing has befallen the segments";
  const kinds = new Map();
  for (const { kind } of ledger) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return `the last ${ledger.length}: ${[...kinds].map(([kind, n]) => `${n} ${WORDS[kind] ?? kind}`).join(", ")}`;
}

/** A mark for each entry, at its time. */
function strip(ledger, replay, width) {
  const times = ledger.map((entry) => (replay ? entry.occurred : entry.decided)).filter((ms) => ms !== null);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = (ms) => EDGE + ((ms - first) / Math.max(1, last - first)) * (width - 2 * EDGE);
  const marks = ledger.filter((entry) => (replay ? entry.occurred : entry.decided) !== null).map((entry) => {
    const ms = replay ? entry.occurred : entry.decided;
    const title = svg("title", {}, `${minute(ms)} ${entry.segment} ${WORDS[entry.kind] ?? entry.kind}`);
    return svg("line", { class: `tick ${colour(entry.segment)}`, x1: x(ms), x2: x(ms), y1: 4, y2: 22 }, title);
  });
  return svg(
    "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
    svg("line", { class: "axis", x1: 0, x2: width, y1: 23, y2: 23 }), ...marks,
    svg("text", { class: "words", x: 0, y: 38 }, minute(first)),
    first === last ? "" : svg("text", { class: "words", x: width, y: 38, "text-anchor": "end" }, minute(last)),
  );
}
