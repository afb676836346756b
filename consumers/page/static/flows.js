// Who moved where, as a matrix with numbers: rows are left, columns are entered.

import { count, el, eventTime, placeWords, say, segment, whenChanged } from "./dom.js";

const ORDER = ["new", "dormant", "closed"];
const LEVELS = 4;
let choice = "window";
let hasChosen = false;
let drawn;

const draw = whenChanged(({ moves, names }, host) => {
  const box = host.querySelector(".scroll");
  if (!moves.length) {
    box.replaceChildren(el("p", { class: "quiet" }, "nobody moved"));
    return;
  }
  const rank = (place) => (ORDER.includes(place) ? 1e6 + ORDER.indexOf(place) : Number(place.slice(1)) || 0);
  const places = (side) => [...new Set(moves.map((move) => move[side]))].sort((a, b) => rank(a) - rank(b));
  const [rows, columns] = [places(0), places(1)];
  const found = new Map(moves.map(([from, to, n]) => [`${from} ${to}`, n]));
  const most = Math.max(...moves.map((move) => move[2]));
  const cell = (from, to) => {
    const n = found.get(`${from} ${to}`);
    return el("td", { class: n ? `n${Math.ceil((LEVELS * n) / most)}` : null }, n ? count(n) : "");
  };
  box.replaceChildren(el(
    "table", { class: "matrix" },
    el("caption", { class: "unseen" }, "Customers who moved, by where from (rows) and where to (columns)"),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "from ↓ to →"), ...columns.map((to) => el("th", { scope: "col" }, segment(to))))),
    el("tbody", {}, ...rows.map((from) => el("tr", {}, el("th", { scope: "row" }, segment(from, names[from] ?? "")), ...columns.map((to) => cell(from, to))))),
  ));
});

export function drawFlows(host, flows, segments) {
  prepare(host);
  drawn = [host, flows, segments];
  if (!hasChosen) {
    // A quarter of an hour in which hardly anybody moved says less than the last changes do.
    const total = flows.window.reduce((sum, move) => sum + move[2], 0);
    choice = total >= 20 || !flows.last.length ? "window" : "last";
    host.querySelector(`input[value="${choice}"]`).checked = true;
  }
  say(host.querySelector(".choice span"), `last ${count(flows.last_count)} moves`);
  draw({ moves: flows[choice], names: Object.fromEntries(segments.map((s) => [s.id, s.name])) }, host);
  takeaway(host.querySelector(".takeaway"), flows);
}

function takeaway(node, flows) {
  const [most] = flows[choice];
  const said = most ? `most: ${count(most[2])} from ${placeWords(most[0])} to ${placeWords(most[1])}` : "no moves in this time";
  const span = choice === "last" && flows.last_from !== null ? [" · event time ", eventTime(flows.last_from), " to ", eventTime(flows.last_to)] : [];
  node.replaceChildren(said, ...span);
}

function prepare(host) {
  if (drawn) return;
  for (const input of host.querySelectorAll("input")) {
    input.addEventListener("change", () => {
      choice = input.value;
      hasChosen = true;
      drawFlows(...drawn);
    });
  }
}
