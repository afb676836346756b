// One customer: where it is, how clearly, why, what would have kept it, and its history.

import { clock, el, eventTime, percent, segment, table } from "./dom.js";

let host;

export function prepareLookup(section) {
  host = section;
  host.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    void ask(host.querySelector("input").value.trim());
  });
}

/** Look a customer up from elsewhere on the page. */
export function lookUp(customer) {
  const input = host.querySelector("input");
  input.value = customer;
  input.focus();
  void ask(customer).then(() => host.scrollIntoView({ block: "start" }));
}

async function ask(customer) {
  if (!customer) return;
  const box = host.querySelector(".answer");
  box.replaceChildren(el("p", { class: "quiet" }, "looking it up"));
  const answer = await fetch(`/api/customer?id=${encodeURIComponent(customer)}`).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (!said || said.error) box.replaceChildren(el("p", { class: "error" }, said?.error ?? "the page's server does not answer"));
  else box.replaceChildren(standing(said), why(said), features(said));
}

function standing(said) {
  const rows = [
    ["segment", said.segment ? segment(said.segment, said.name) : `none yet${said.provisional ? `, nearest so far ${said.provisional}` : ""}`],
    ["status", said.locked ? `${said.status}, held by a person` : said.status],
    ["since", el("span", {}, eventTime(said.since), ` UTC, cause ${said.cause}`, said.previous ? `, before ${said.previous}` : "")],
    ["margin", said.margin ? `${Number(said.margin).toFixed(2)}: ${clearly(Number(said.margin))}` : ""],
    ["version", said.version],
    ...Object.entries(said.attributes),
  ];
  return el(
    "div", {}, el("h3", {}, said.customer),
    el("dl", {}, ...rows.filter(([, value]) => value !== "").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
  );
}

function clearly(margin) {
  if (margin < 0) return "another segment is nearer, but not by enough to move";
  return margin < 0.1 ? "between two segments" : margin < 0.3 ? "rather clear" : "clear";
}

function why({ changes }) {
  if (!changes.length) return el("div", {}, el("h3", {}, "Why"), el("p", { class: "quiet" }, "its last change is no longer at hand"));
  const [last] = changes;
  return el(
    "div", {}, el("h3", {}, "Why"),
    last.reasons.length ? el("ol", {}, ...last.reasons.map(([part, words]) => el("li", {}, `${words} (${percent(part, 0)})`))) : el("p", {}, `${last.cause}${last.why ? `: ${last.why}` : ""}`),
    last.kept ? el("p", {}, last.kept) : "",
    el("h3", {}, "History"), el("ol", {}, ...changes.map(past)),
  );
}

function past(change) {
  const where = change.from === change.to ? [segment(change.to, change.to_name)] : [segment(change.from, change.from_name), " → ", segment(change.to, change.to_name)];
  const told = el("span", { class: "quiet" }, ` ${change.cause}${change.why ? `: ${change.why}` : ""}, told `, clock(change.decided));
  return el("li", {}, eventTime(change.occurred), " ", ...where, told);
}

function features({ features: rows, segment: id }) {
  if (!rows.length) return el("div", {});
  return el("div", {}, el("h3", {}, "Features"), table({ text: "Features", hidden: true }, ["feature", "customer", id || "segment", "average", "unit"], rows, [1, 2, 3]));
}
