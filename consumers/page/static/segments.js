// The segments side by side: how many customers, which share, and how it moved since the mix last changed.

import { count, el, percent, segment, colour, say, table, whenChanged } from "./dom.js";

const draw = whenChanged(({ segments, reference }, host) => {
  const before = Object.values(reference).reduce((sum, n) => sum + n, 0);
  const largest = [...segments].sort((a, b) => b.customers - a.customers)[0];
  const rows = segments.map((s) => {
    const bar = el("span", {});
    bar.style.width = `${(100 * s.share) / (largest.share || 1)}%`;
    const moved = before ? 100 * (s.share - (reference[s.id] ?? 0) / before) : 0;
    return [
      el("span", {}, segment(s.id, s.name), s.retiring ? el("span", { class: "tag careful" }, "retiring") : null),
      count(s.customers),
      percent(s.share),
      el("div", { class: `share ${colour(s.id)}`, "aria-hidden": "true" }, bar),
      Math.abs(moved) < 0.05 ? "0.0" : `${moved > 0 ? "+" : "−"}${Math.abs(moved).toFixed(1)}`,
    ];
  });
  const heads = ["segment", "customers", "share", el("span", { class: "unseen" }, "share as a bar"), "± points"];
  host.querySelector(".scroll").replaceChildren(rows.length ? table({ text: "Segments now", hidden: true }, heads, rows, [1, 2, 4]) : "");
  say(host.querySelector(".takeaway"), largest
    ? `largest: ${largest.id} ${largest.name}, ${percent(largest.share, 0)}; ± is since the mix last changed`
    : "no segments yet");
});

export function drawSegments(host, { segments, reference }) {
  const shown = segments.map(({ id, name, customers, share, retiring }) => ({ id, name, customers, share, retiring }));
  draw({ segments: shown, reference }, host);
}
