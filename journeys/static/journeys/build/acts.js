/* What can be done to the draft, each said when it is done: add, move, copy, paste, delete, connect. */

import { announce, h, icon, t } from "../../contacts/builder/dom.js";
import { ask } from "./dialogs.js";

const CLIP = "segue-journey-clip";

export class Acts {
  constructor({ root, canvas, draft, picker, panel, open, addresses }) {
    Object.assign(this, { root, canvas, draft, picker, panel, open, addresses });
    this.moving = null;
    this.dialog = document.getElementById("jb-ask");
  }

  name(step) {
    return this.draft.steps[step]?.title || step;
  }

  /** A plus was pressed: put there what is moved, or ask what to add. */
  press(place) {
    if (this.moving) return this.#drop(place);
    return this.picker.open(place, this.#clip() ? t("Paste “{name}”", { name: this.#clip().name }) : "");
  }

  async insert(kind, place) {
    if (!place) return;
    await this.panel.flush();
    const answer = await this.draft.change({ act: "insert", kind, place: JSON.parse(place.dataset.place) });
    if (!answer) return;
    announce(t("{name} added", { name: this.name(answer.look) }));
    this.canvas.go(answer.look);
    await this.open(answer.look);
  }

  async move(step, place) {
    await this.panel.flush();
    const name = this.name(step);
    const answer = await this.draft.change({ act: "move", step, place: JSON.parse(place.dataset.place) });
    if (!answer) return;
    announce(t("{name} moved", { name }));
    this.canvas.go(answer.look);
  }

  async connect(edge, to) {
    const answer = await this.draft.change({ act: "connect", edge, to });
    if (answer) announce(to ? t("goes on at {name}", { name: this.name(to) }) : t("ends there"));
  }

  /** One place up (-1) or down (1). */
  async shift(step, by) {
    const item = this.canvas.node(step)?.closest(".jb-item");
    if (!item) return;
    const before = this.canvas.places(step).filter((each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING);
    const after = this.canvas.places(step).filter((each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING);
    // The places right before and after it are where it stands already.
    const place = by < 0 ? before[before.length - 2] : after[1];
    if (place) await this.move(step, place);
    else announce(t("That is not possible here"));
  }

  /** Choose another place with arrows and Enter, or by pressing a plus. */
  carry(step) {
    this.stop();
    this.moving = step;
    this.root.classList.add("is-moving");
    const places = this.canvas.places(step);
    places.forEach((each) => {
      each.closest(".jb-place").classList.add("is-free");
      each.dataset.said = each.getAttribute("aria-label");
      each.setAttribute("aria-label", t("Move here: {place}", { place: each.dataset.said }));
    });
    const node = this.canvas.node(step);
    node.classList.add("is-dragged");
    const item = node.closest(".jb-item");
    (places.find((each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING) || places[0])?.focus();
    announce(t("Moving {name}. Choose a place with the arrows; Enter puts it there, Escape stops.", { name: this.name(step) }));
  }

  stop() {
    const step = this.moving;
    this.moving = null;
    this.root.classList.remove("is-moving");
    this.canvas.sheet.querySelectorAll(".is-free, .is-dragged").forEach((each) => each.classList.remove("is-free", "is-dragged"));
    this.canvas.sheet.querySelectorAll("[data-said]").forEach((each) => {
      each.setAttribute("aria-label", each.dataset.said);
      delete each.dataset.said;
    });
    return step;
  }

  #drop(place) {
    const step = this.stop();
    if (this.canvas.places(step).includes(place)) this.move(step, place);
  }

  async copy(step) {
    await this.panel.flush();
    const clip = await this.#take(step);
    if (!clip) return;
    localStorage.setItem(CLIP, JSON.stringify({ name: this.name(step), clip }));
    announce(t("{name} copied", { name: this.name(step) }));
  }

  async cut(step) {
    await this.copy(step);
    await this.remove(step, { asking: false });
  }

  async paste(place, clip = this.#clip()?.clip) {
    if (!clip || !place) return;
    await this.panel.flush();
    const answer = await this.draft.change({ act: "paste", clip, place: JSON.parse(place.dataset.place) });
    if (!answer) return;
    announce(t("{name} pasted", { name: this.name(answer.look) }));
    this.canvas.go(answer.look);
  }

  async duplicate(step) {
    await this.panel.flush();
    const clip = await this.#take(step);
    const below = this.canvas.below(step);
    if (clip) await this.paste(below, clip);
  }

  /** Delete, after asking what happens to the ways of a step that parts. */
  async remove(step, { asking = true } = {}) {
    await this.panel.flush();
    const name = this.name(step);
    let keep = "";
    const ways = [...(this.canvas.node(step)?.parentElement.querySelectorAll(":scope > .jb-ways > .jb-way") || [])];
    const full = ways.filter((each) => each.querySelector(".jb-node"));
    if (asking && full.length) {
      const answer = await this.#which(name, ways);
      if (answer === null) return;
      keep = answer;
    }
    const answer = await this.draft.change({ act: "remove", step, keep });
    if (!answer) return;
    announce(answer.gone.length ? t("{name} deleted, and {count} steps in its ways. Undo brings them back.", { name, count: answer.gone.length }) : t("{name} deleted. Undo brings it back.", { name }));
    if (!this.canvas.go(answer.look)) this.canvas.go("");
  }

  #which(name, ways) {
    const choice = (value, text, checked) => h("label", { class: "jb-choice" }, h("input", { type: "radio", name: "jb-keep", value, checked }), h("span", {}, text));
    const most = ways.reduce((best, each) => (each.querySelectorAll(".jb-node").length > best.querySelectorAll(".jb-node").length ? each : best), ways[0]);
    const choices = ways.map((each) => {
      const count = each.querySelectorAll(".jb-node").length;
      const way = each.querySelector(".jb-way-name span").textContent;
      return choice(each.dataset.path, t("Keep the way “{way}” ({count} steps); the others go", { way, count }), each === most);
    });
    return ask(this.dialog, {
      title: t("Delete “{name}”?", { name }),
      body: [h("p", { class: "segue-help" }, t("Its ways hold other steps. What is to become of them?")), ...choices, choice("", t("Delete them all; people go on where the ways meet"), false)],
      answers: [
        { text: t("Delete"), style: "is-danger", value: () => this.dialog.querySelector("input:checked").value },
        { text: t("Cancel"), value: null },
      ],
    });
  }

  /** The menu of a step. */
  menu(opener) {
    const step = opener.closest("[data-step]").dataset.step;
    document.querySelector(".jb-menu")?.remove();
    const entry = (sign, text, keys, act) => h("button", { type: "button", role: "menuitem", tabindex: "-1", on: { click: () => (close(false), act()) } }, icon(sign), h("span", {}, text), h("kbd", {}, keys));
    const list = h(
      "div",
      { class: "sb-menu jb-menu", role: "menu", "aria-label": opener.getAttribute("aria-label") },
      entry("edit", t("Open"), "Enter", () => this.open(step)),
      entry("open_with", t("Move …"), "M", () => this.carry(step)),
      entry("arrow_upward", t("Move up"), "Alt ↑", () => this.shift(step, -1)),
      entry("arrow_downward", t("Move down"), "Alt ↓", () => this.shift(step, 1)),
      entry("library_add", t("Duplicate"), "D", () => this.duplicate(step)),
      entry("content_copy", t("Copy"), "Ctrl C", () => this.copy(step)),
      entry("content_cut", t("Cut"), "Ctrl X", () => this.cut(step)),
      entry("delete", t("Delete"), "Del", () => this.remove(step)),
    );
    const close = (back) => {
      list.remove();
      opener.setAttribute("aria-expanded", "false");
      if (back) opener.focus();
    };
    opener.setAttribute("aria-expanded", "true");
    opener.after(list);
    const entries = [...list.children];
    entries[0].focus();
    list.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const index = entries.indexOf(document.activeElement);
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        entries[(index + (event.key === "ArrowDown" ? 1 : entries.length - 1)) % entries.length].focus();
      } else if (event.key === "Escape" || event.key === "Tab") close(true);
    });
    list.addEventListener("focusout", (event) => event.relatedTarget && !list.contains(event.relatedTarget) && close(false));
    window.setTimeout(() => document.addEventListener("click", (event) => !list.contains(event.target) && close(false), { once: true }), 0);
  }

  refused(message) {
    announce(message || t("That is not possible here"));
    ask(this.dialog, { title: t("That is not possible here"), body: [h("p", {}, message)], answers: [{ text: t("Close"), value: null }] });
  }

  #clip() {
    try {
      return JSON.parse(localStorage.getItem(CLIP) || "null");
    } catch {
      return null;
    }
  }

  async #take(step) {
    const answer = await fetch(`${this.addresses.clip}?${new URLSearchParams({ step })}`, { credentials: "same-origin" }).catch(() => null);
    return answer?.ok ? answer.json() : null;
  }
}
