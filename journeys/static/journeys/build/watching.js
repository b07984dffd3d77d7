/* Other people at the same draft: who is here, and what to do when both changed it. */

import { announce, h, t } from "../../contacts/builder/dom.js";

const EVERY = 8000;

export function watch({ root, draft, addresses, panel }) {
  const place = root.querySelector("[data-conflict]");
  const others = root.querySelector("[data-others]");

  function clear() {
    place.hidden = true;
    place.replaceChildren();
  }

  /** Somebody else's draft is kept, ours is not: ask which of them goes on. */
  function conflict(theirs, asked, form) {
    const who = theirs.by || t("Somebody else");
    const take = () => {
      clear();
      draft.take(theirs);
      announce(t("You go on with the draft of {who}. Undo brings back yours.", { who }));
    };
    const insist = () => {
      clear();
      draft.insist(theirs, asked, form);
    };
    place.replaceChildren(
      h("strong", {}, t("{who} changed this draft in the meantime.", { who })),
      h("p", {}, t("Your last change is not saved yet. Nothing is lost: undo reaches the other draft.")),
      h(
        "div",
        { class: "segue-actions" },
        h("button", { type: "button", class: "segue-button is-primary", on: { click: take } }, t("Go on with theirs")),
        h("button", { type: "button", class: "segue-button", on: { click: insist } }, t("Put mine in its place")),
      ),
    );
    place.hidden = false;
    place.querySelector("button").focus();
  }

  async function look() {
    if (document.hidden) return;
    const answer = await fetch(addresses.state, { credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) return;
    const now = await answer.json();
    others.hidden = !now.others.length;
    others.textContent = now.others.length ? t("Also here: {names}", { names: now.others.join(", ") }) : "";
    if (now.revision === draft.revision || draft.busy || panel.dirty || !place.hidden) return;
    place.replaceChildren(
      h("strong", {}, t("{who} changed this draft.", { who: now.by || t("Somebody else") })),
      h("button", { type: "button", class: "segue-button is-small", on: { click: () => window.location.reload() } }, t("Show it")),
    );
    place.hidden = false;
  }

  look();
  window.setInterval(look, EVERY);
  return { conflict, clear };
}
