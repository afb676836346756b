// The health strip: one word a part, and what is to say about it.

import { ago, eventTime, el, whenChanged } from "./dom.js";

const draw = whenChanged((items, host) => {
  host.querySelector("ul").replaceChildren(...items.map((item) => el(
    "li", {},
    el("span", { class: "name" }, item.name),
    el("span", { class: item.well ? "well" : "ill" }, item.well ? "✓" : "✗ "),
    el("span", {}, item.said, item.when && item.said ? ", " : "", item.day ? eventTime(item.day) : item.when),
  )));
});

/** Times are said as ages, which change, so the ages are what is compared. */
export function drawHealth(host, { health, at }) {
  draw(health.map((item) => {
    const when = item.at === null ? "" : ago(item.at, at);
    return { ...item, at: null, when, day: item.at !== null && !when.endsWith("ago") ? item.at : null };
  }), host);
}
