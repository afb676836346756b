// The segments side by side: how many customers, which share, and how far that is from the usual mix.

import { count, el, percent, segment, colour, say, table, whenChanged } from "./dom.js";

const draw = whenChanged(({ segments, mix }, host) => {
  const largest = [...segments].sort((a, b) => b.customers - a.customers)[0];
  const rows = segments.map((s) => {
    const bar = el("span", {});
    bar.style.width = `${(100 * s.share) / (largest.share || 1)}%`;
    const moved = 100 * movedBy(mix, s.id);
    return [
      el("span", {}, segment(s.id, s.name), s.retiring ? el("span", { class: "tag careful" }, "retiring") : null),
      count(s.customers),
      percent(s.share),
      el("div", { class: `share ${colour(s.id)}`, "aria-hidden": "true" }, bar),
      !mix ? "" : Math.abs(moved) < 0.05 ? "0.0" : `${moved > 0 ? "+" : "−"}${Math.abs(moved).toFixed(1)}`,
    ];
  });
  const heads = ["segment", "customers", "share", el("span", { class: "unseen" }, "share as a bar"), "± points"];
  host.querySelector(".scroll").replaceChildren(rows.length ? table({ text: "Segments now", hidden: true }, heads, rows, [1, 2, 4]) : "");
  say(host.querySelector(".takeaway"), largest
    ? `largest: ${largest.id} ${largest.name}, ${percent(largest.share, 0)}; ± is ${mix ? "from the usual mix" : "not known yet"}`
    : "no segments yet");
});

/** How far a segment's share is from the usual one, both as the drift engine counts them. */
export const movedBy = (mix, id) => (mix ? (mix.now[id] ?? 0) - (mix.usual[id] ?? 0) : 0);

export function drawSegments(host, { segments, mix }) {
  const shown = segments.map(({ id, name, customers, share, retiring }) => ({ id, name, customers, share, retiring }));
  draw({ segments: shown, mix }, host);
}
