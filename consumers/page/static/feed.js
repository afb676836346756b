// The change feed: the newest changes, at most five new ones a second, held while somebody reads.

import { count, el, eventTime, segment, say, table } from "./dom.js";
import { lookUp } from "./lookup.js";

const PER_SECOND = 5;
const SHOWN = 30;
let rows = [];
let seen = new Set();
let isPaused = false;
let missed = 0;
let isPrepared = false;

export function drawFeed(host, { feed, changes }) {
  prepare(host);
  const fresh = feed.filter((change) => !seen.has(key(change)));
  if (!fresh.length) return;
  seen = new Set(feed.map(key));
  if (isPaused) {
    missed += fresh.length;
    say(host.querySelector(".takeaway"), `paused; ${count(missed)} more since then`);
    return;
  }
  rows = [...(rows.length ? fresh.slice(0, PER_SECOND) : fresh), ...rows].slice(0, SHOWN);
  say(host.querySelector(".takeaway"), `${count(changes)} since this page's server started; a sample when they are many`);
  host.querySelector(".scroll").replaceChildren(table(
    { text: "Changes, newest first", hidden: true },
    ["event time (UTC)", "customer", "from → to", "why"],
    rows.map(cells),
  ));
}

const key = (change) => `${change.customer} ${change.version}`;

function cells(change) {
  const button = el("button", { type: "button", class: "link", on: { click: () => lookUp(change.customer) } }, change.shown);
  const stays = change.from === change.to;
  const where = stays
    ? el("span", {}, segment(change.to, change.to_name))
    : el("span", {}, segment(change.from, change.from_name), " → ", segment(change.to, change.to_name));
  return [eventTime(change.occurred), button, where, [change.cause, change.why].filter(Boolean).join(": ")];
}

function prepare(host) {
  if (isPrepared) return;
  isPrepared = true;
  const button = host.querySelector("button");
  button.addEventListener("click", () => {
    isPaused = !isPaused;
    missed = 0;
    button.setAttribute("aria-pressed", String(isPaused));
    say(button, isPaused ? "Go on" : "Pause");
    say(host.querySelector(".takeaway"), isPaused ? "paused" : "");
    seen = isPaused ? seen : new Set();
  });
}
