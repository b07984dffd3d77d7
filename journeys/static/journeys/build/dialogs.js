/* Choosing a step to add, and questions before something is lost. */

import { h } from "../../contacts/builder/dom.js";

/** Let a search field narrow the buttons of a palette. */
export function searching(field, palette, none = null) {
  const look = () => {
    const words = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const all = [...palette.querySelectorAll("[data-kind]")];
    const fit = (text) => words.every((word) => text.toLowerCase().includes(word));
    // What is called so comes before what is only described so.
    const called = all.filter((each) => fit(each.querySelector("strong").textContent));
    all.forEach((each) => {
      each.hidden = called.length ? !called.includes(each) : !fit(each.dataset.search);
    });
    palette.querySelectorAll("section").forEach((group) => {
      group.hidden = !group.querySelector("[data-kind]:not([hidden])");
    });
    if (none) none.hidden = Boolean(palette.querySelector("[data-kind]:not([hidden])"));
  };
  field.addEventListener("input", look);
  return look;
}

export class Picker {
  constructor(dialog, { take, paste }) {
    this.dialog = dialog;
    this.field = dialog.querySelector("input");
    this.palette = dialog.querySelector(".jb-palette");
    this.look = searching(this.field, this.palette, dialog.querySelector("[data-none]"));
    this.pasting = dialog.querySelector("[data-paste]");
    dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      const button = event.target.closest("[data-kind]");
      if (button) this.#done(() => take(button.dataset.kind, this.place));
      else if (event.target === dialog) dialog.close();
    });
    this.pasting.addEventListener("click", () => this.#done(() => paste(this.place)));
    dialog.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("close", () => this.opener?.isConnected && this.opener.focus({ preventScroll: true }));
  }

  open(place, copied) {
    this.place = place;
    this.opener = place;
    this.field.value = "";
    this.look();
    this.pasting.hidden = !copied;
    if (copied) this.pasting.lastElementChild.textContent = copied;
    this.dialog.showModal();
    this.field.focus();
  }

  #done(act) {
    this.dialog.close();
    act();
  }

  #key(event) {
    const shown = [...this.palette.querySelectorAll("[data-kind]:not([hidden])")];
    if (event.key === "Enter" && event.target === this.field && shown.length) {
      event.preventDefault();
      shown[0].click();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const index = shown.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      (index < 0 ? this.field : shown[Math.min(index, shown.length - 1)])?.focus();
    }
  }
}

/** A question with answers: [{text, value, style}]; resolves to the value, or null. */
export function ask(dialog, { title, body, answers }) {
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("[data-ask-body]").replaceChildren(...body);
  return new Promise((resolve) => {
    let given = null;
    const buttons = answers.map(({ text, value, style = "" }) =>
      h("button", { type: "button", class: `segue-button ${style}`, on: { click: () => ((given = typeof value === "function" ? value() : value), dialog.close()) } }, text));
    dialog.querySelector("[data-ask-actions]").replaceChildren(...buttons);
    dialog.addEventListener("close", () => resolve(given), { once: true });
    dialog.showModal();
    (dialog.querySelector("input:checked") || buttons[0]).focus();
  });
}
