// The segment map: like is near to like. The axes were found once and stay, so what moves is a segment.

import { colour, count, el, percent, say, segment, svg, table, whenChanged } from "./dom.js";

const [WIDEST, NARROWEST, HEIGHT, EDGE] = [760, 280, 264, 44];
const ROOM_FOR_NAMES = 430;
const LARGEST = 36;
const LETTER = 7.3;
const NAME_LENGTH = 24;

// Of the drawing, which is as wide as its place, so that text keeps its size.
let width = WIDEST;

const at = ([x, y]) => [width / 2 + x * (width / 2 - 1.9 * EDGE), HEIGHT / 2 - y * (HEIGHT / 2 - EDGE)];
const shortened = (text) => (text.length > NAME_LENGTH ? `${text.slice(0, NAME_LENGTH - 1)}…` : text);

const draw = whenChanged(({ map, segments, room }, host) => {
  const chart = host.querySelector(".chart");
  width = room;
  const twin = host.querySelector(".twin > div");
  if (!map || !segments.length) {
    chart.replaceChildren(el("p", { class: "quiet" }, "the map comes with the first two segments"));
    twin.replaceChildren();
    return;
  }
  const most = Math.max(...segments.map((s) => s.customers), 1);
  const marks = segments.filter((s) => map.points[s.id]).map((s) => {
    const trail = map.points[s.id].map(at);
    return { ...s, trail, at: trail.at(-1), radius: Math.max(4, LARGEST * Math.sqrt(s.customers / most)) };
  }).sort((a, b) => b.radius - a.radius);
  const said = marks.map((s) => `${s.id} ${s.name}, ${count(s.customers)} customers`).join("; ");
  chart.replaceChildren(svg(
    "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": `Segment map: ${said}` },
    ...frame(map.axes), ...marks.flatMap(ways), ...marks.map(circle), ...labels(marks),
  ));
  const rows = marks.map((s) => [segment(s.id, s.name), ...map.points[s.id].at(-1).map((n) => n.toFixed(2)), count(s.customers), percent(s.share)]);
  twin.replaceChildren(table({ text: "Segment map", hidden: true }, ["segment", `→ ${map.axes[0]}`, `↑ ${map.axes[1]}`, "customers", "share"], rows, [1, 2, 3, 4]));
  say(host.querySelector(".takeaway"), "area is customers, near is alike; a dashed ring is where a segment was first");
});

export function drawMap(host, { map, segments }) {
  const room = Math.max(NARROWEST, Math.min(WIDEST, host.querySelector(".chart").clientWidth));
  draw({ map, room, segments: segments.map(({ id, name, customers, share }) => ({ id, name, customers, share })) }, host);
}

function frame([across, up]) {
  return [
    svg("line", { class: "axis", x1: 0, x2: width, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
    svg("line", { class: "axis", x1: width / 2, x2: width / 2, y1: 0, y2: HEIGHT }),
    svg("text", { class: "words", x: width - 4, y: HEIGHT - 6, "text-anchor": "end" }, `more ${across} →`),
    svg("text", { class: "words", x: 4, y: 13 }, `↑ more ${up}`),
  ];
}

/** Where it was first, and the way from there. */
function ways(s) {
  if (s.trail.length < 2) return [];
  const points = s.trail.map((p) => p.map((n) => n.toFixed(1)).join()).join(" ");
  return [
    svg("circle", { class: `ghost ${colour(s.id)}`, cx: s.trail[0][0], cy: s.trail[0][1], r: s.radius }),
    svg("polyline", { class: `trail ${colour(s.id)}`, points }),
  ];
}

function circle(s) {
  return svg("circle", { class: colour(s.id), cx: s.at[0], cy: s.at[1], r: s.radius }, svg("title", {}, `${s.id} ${s.name}`));
}

/** Id and name beside each circle: of four sides the one where they cover least of the others. */
function labels(marks) {
  const taken = marks.map((s) => ({ left: s.at[0] - s.radius, top: s.at[1] - s.radius, width: 2 * s.radius, height: 2 * s.radius }));
  return marks.map((s) => {
    const lines = [`${s.id} · ${count(s.customers)}`, width < ROOM_FOR_NAMES ? "" : shortened(s.name)];
    const long = Math.max(...lines.map((line) => line.length)) * LETTER;
    const sides = [
      { x: s.at[0] + s.radius + 5, y: s.at[1], anchor: "start" }, { x: s.at[0] - s.radius - 5, y: s.at[1], anchor: "end" },
      { x: s.at[0], y: s.at[1] + s.radius + 17, anchor: "middle" }, { x: s.at[0], y: s.at[1] - s.radius - 17, anchor: "middle" },
    ].map((side) => ({ ...side, box: boxOf(side, long) }));
    const best = sides.reduce((a, b) => (cost(b.box, taken) < cost(a.box, taken) ? b : a));
    taken.push(best.box);
    return svg(
      "text", { x: best.x, y: best.y - 2, "text-anchor": best.anchor },
      svg("tspan", { class: "id", x: best.x }, lines[0]), svg("tspan", { class: "called", x: best.x, dy: 14 }, lines[1]),
    );
  });
}

function boxOf({ x, y, anchor }, long) {
  const left = anchor === "start" ? x : anchor === "end" ? x - long : x - long / 2;
  return { left, top: y - 14, width: long, height: 28 };
}

/** How much of the others a label would cover; to stick out of the map costs most. */
function cost(box, taken) {
  const out = Math.max(0, -box.left) + Math.max(0, box.left + box.width - width) + Math.max(0, -box.top) + Math.max(0, box.top + box.height - HEIGHT);
  const over = (a, b) => Math.max(0, Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top));
  return 1000 * out + taken.reduce((sum, other) => sum + over(box, other), 0);
}
