// Segment cards: what a segment is called, what sets it apart, its rule and value. Cards stay, their words change.

import { count, el, percent, segment, colour, whenChanged } from "./dom.js";
import { openFeatures, openNaming } from "./naming.js";

const known = new Map();

export function drawCards(host, { segments }) {
  const grid = host.querySelector(".cards");
  for (const s of segments) {
    if (!known.has(s.id)) known.set(s.id, makeCard(s.id));
    known.get(s.id).draw(s);
  }
  const wanted = segments.map((s) => known.get(s.id).node);
  if (wanted.length !== grid.childElementCount || wanted.some((node, i) => grid.children[i] !== node)) {
    grid.replaceChildren(...(wanted.length ? wanted : [el("p", { class: "quiet" }, "no segments yet")]));
  }
}

function makeCard(id) {
  let shown;
  const words = el("div", {});
  const buttons = el(
    "p", { class: "bar" },
    el("button", { type: "button", "aria-label": `all features of ${id}`, on: { click: () => openFeatures(shown) } }, "All features"),
    el("button", { type: "button", "aria-label": `name ${id}`, on: { click: () => openNaming(shown) } }, "Name"),
  );
  const node = el("article", { class: `card ${colour(id)}` }, words, buttons);
  const draw = whenChanged((s) => {
    shown = s;
    words.replaceChildren(
      el("h3", {}, segment(s.id, s.name)),
      el("p", { class: "quiet" }, `${count(s.customers)} customers, ${percent(s.share)}`, s.group ? ` · group ${s.group}` : "",
        s.retiring ? " · retiring: nobody enters any more" : ""),
      s.apart.length ? el("ul", {}, ...s.apart.map((line) => el("li", {}, line.replaceAll(" %", "\u00a0%")))) : el("p", {}, "close to the average"),
      s.rule ? el("p", {}, el("span", { class: "quiet" }, "rule of thumb: "), s.rule) : "",
      s.value ? el("p", {}, el("span", { class: "quiet" }, "value: "), s.value) : "",
    );
  });
  return { node, draw };
}
