// The page: listens to the server, hands each snapshot to the parts, and says when nobody answers.

import { clock, el, say } from "./dom.js";
import { drawCards } from "./cards.js";
import { drawFeed } from "./feed.js";
import { drawFlows } from "./flows.js";
import { drawHealth } from "./health.js";
import { drawMap } from "./map.js";
import { drawSegments } from "./segments.js";
import { Shares } from "./shares.js";
import { drawTimeline } from "./timeline.js";
import { prepareLookup } from "./lookup.js";

const SILENT_MS = 5000;
const AGAIN_MS = 3000;
const ANNOUNCE_MS = 5000;

const byId = (id) => document.getElementById(id);
const shares = new Shares(byId("shares"));
let heardAt = 0;
let isOffline = true;
let source;

function connect() {
  source?.close();
  source = new EventSource("/api/events");
  source.addEventListener("snapshot", (message) => heard(JSON.parse(message.data)));
  source.addEventListener("error", () => {
    offline();
    // The browser tries again by itself, unless the server refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
  });
}

function heard(said) {
  if (isOffline) {
    isOffline = false;
    void shares.fetchHistory();
  }
  heardAt = Date.now();
  show(said);
}

function show(said) {
  document.body.dataset.kind = said.status.kind;
  byId("sentence").replaceChildren(...said.status.words.map((word) => (typeof word === "string" ? word : clock(word.at))));
  say(byId("besides"), said.besides);
  byId("connection").replaceChildren("live, as of ", el("time", {}, new Date(said.at).toLocaleTimeString("sv")));
  announce(said.status.kind);
  drawHealth(byId("health"), said);
  drawSegments(byId("segments"), said);
  drawMap(byId("map"), said);
  shares.add(said);
  drawFlows(byId("flows"), said.flows, said.segments);
  drawCards(byId("cards"), said);
  drawTimeline(byId("timeline"), said.ledger, said.replay);
  drawFeed(byId("feed"), said);
}

function offline() {
  if (!heardAt) {
    say(byId("connection"), "the page's server does not answer; trying again");
  } else if (!isOffline) {
    byId("connection").replaceChildren("disconnected since ", clock(heardAt), "; what you see is of then; trying again");
  }
  isOffline = true;
  document.body.dataset.kind = "offline";
  announce("offline");
}

let announced = "";
let announcedAt = 0;
let pending;

/** For screen readers: only when the kind of state changes, and never more often than they can read. */
function announce(kind) {
  if (kind === announced) return;
  clearTimeout(pending);
  pending = setTimeout(() => {
    announced = kind;
    announcedAt = Date.now();
    say(byId("announcement"), kind === "offline" ? "disconnected from the server" : byId("sentence").textContent);
  }, Math.max(0, announcedAt + ANNOUNCE_MS - Date.now()));
}

setInterval(() => {
  if (!isOffline && Date.now() - heardAt > SILENT_MS) offline();
}, 1000);

prepareLookup(byId("lookup"));
connect();
