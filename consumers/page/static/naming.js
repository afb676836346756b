// Naming a segment, with the token; and all features of one, in a dialog.

import { el, segment, table } from "./dom.js";

const KEPT = "segstream-token";

// The demo's address brings the token behind the '#', which is never sent; out of the address bar with it.
const brought = /^#token=(.+)$/.exec(location.hash);
if (brought) {
  sessionStorage.setItem(KEPT, decodeURIComponent(brought[1]));
  history.replaceState(null, "", location.pathname);
}

const dialog = document.getElementById("dialog");
const close = () => dialog.close();
const closing = () => el("button", { type: "button", on: { click: close } }, "Close");
const title = (s, words) => el("h2", { id: "dialog-title" }, words, " ", segment(s.id, s.name));

export async function openFeatures(s) {
  dialog.replaceChildren(title(s, "Features of"), el("p", { class: "quiet" }, "asking"), closing());
  dialog.showModal();
  const answer = await fetch(`/api/segment?id=${encodeURIComponent(s.id)}`).catch(() => null);
  const said = await answer?.json().catch(() => null);
  const shown = said?.features
    ? table({ text: "Features", hidden: true }, ["feature", s.id, "average", "unit"], said.features, [1, 2])
    : el("p", { class: "error" }, said?.error ?? "the page's server does not answer");
  dialog.replaceChildren(title(s, "Features of"), shown, closing());
}

export function openNaming(s) {
  const name = el("input", { name: "name", value: s.name, maxlength: 60, autocomplete: "off" });
  const by = el("input", { name: "by", maxlength: 80, autocomplete: "name" });
  const token = el("input", { name: "token", type: "password", value: sessionStorage.getItem(KEPT) ?? "", autocomplete: "off" });
  const said = el("p", { role: "status" });
  const tell = async (deed) => {
    sessionStorage.setItem(KEPT, token.value);
    said.textContent = "telling the model's owner";
    said.textContent = await told(deed, { segment: s.id, name: name.value, by: by.value }, token.value);
  };
  dialog.replaceChildren(
    title(s, "Name"),
    el("p", { class: "quiet" }, "A name given here stays whatever the customers do. It stands on the ledger with who gave it."),
    el(
      "form", { on: { submit: (event) => { event.preventDefault(); void tell("rename"); } } },
      el("label", {}, "New name", name), el("label", {}, "Who says so", by), el("label", {}, "Token (page.token)", token),
      el(
        "p", { class: "bar" }, el("button", { type: "submit" }, "Rename"),
        el("button", { type: "button", on: { click: () => tell("pin") } }, "Pin the present name"),
        el("button", { type: "button", on: { click: () => tell("unpin") } }, "Unpin"), closing(),
      ),
      said,
    ),
  );
  dialog.showModal();
}

async function told(deed, what, token) {
  const answer = await fetch(`/api/segments/${deed}`, {
    method: "POST", headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` }, body: JSON.stringify(what),
  }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  return said?.done ?? said?.error ?? "the page's server does not answer";
}
