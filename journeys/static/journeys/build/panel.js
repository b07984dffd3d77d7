/* The panel: the form of one step, drawn by the server; what is typed is kept by itself. */

import { later } from "../../contacts/builder/dom.js";
import * as rules from "./rules.js";

const AFTER = 350;
const COUNT_AFTER = 600;

export class Panel {
  constructor(place, { addresses, facts, draft, act, travel }) {
    Object.assign(this, { place, addresses, facts, draft, act, travel });
    this.title = place.querySelector("h2");
    this.body = place.querySelector("[data-panel-body]");
    this.step = null;
    this.dirty = false;
    this.turn = 0;
    this.soon = later(() => this.flush(), AFTER);
    this.count = later(() => this.#preview(), COUNT_AFTER);
    this.body.addEventListener("input", (event) => this.#typed(event));
    this.body.addEventListener("change", (event) => this.#changed(event));
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.body.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Show the form of `step` ("" is the journey's own); `focus` moves there. */
  async open(step, { focus = true } = {}) {
    const same = this.step === step && !this.place.hidden;
    const held = same && this.body.contains(document.activeElement) ? document.activeElement : null;
    const key = held && (held.dataset.key || held.name || held.id);
    const opened = same ? [...this.body.querySelectorAll("details")].map((each) => each.open) : [];
    const top = same ? this.place.scrollTop : 0;
    const turn = ++this.turn;
    const answer = await fetch(`${this.addresses.panel}?${new URLSearchParams({ step })}`, { credentials: "same-origin" });
    const html = await answer.text();
    // Closed or opened anew while the form was on its way.
    if (turn !== this.turn) return undefined;
    if (!answer.ok) return this.close();
    if (same && this.dirty) {
      // Something was typed while the form was on its way: it must be in it.
      await this.flush();
      return this.open(step, { focus });
    }
    this.body.innerHTML = html;
    this.step = step;
    this.dirty = false;
    this.place.hidden = false;
    this.title.textContent = step === "" ? this.title.dataset.start : this.draft.steps[step]?.title || step;
    this.#mount();
    if (same) [...this.body.querySelectorAll("details")].forEach((each, index) => index < opened.length && (each.open = opened[index]));
    this.place.scrollTop = top;
    this.mark();
    this.count();
    const again = key && [...this.body.querySelectorAll("[data-key], [name], [id]")].find((each) => (each.dataset.key === key || each.name === key || each.id === key) && (each.type !== "checkbox" || each.value === held.value) && !each.hidden && each.type !== "hidden");
    if (again) again.focus();
    else if (focus || held) this.title.focus();
    return undefined;
  }

  close() {
    this.turn += 1;
    this.flush();
    this.place.hidden = true;
    this.step = null;
  }

  /** Send what was typed and is not kept yet. */
  flush() {
    if (!this.dirty || this.step === null) return null;
    this.dirty = false;
    return this.draft.change({ act: "configure", step: this.step }, { form: this.#form(), typing: `configure ${this.step}` });
  }

  /** Put each problem of the step at the field that it concerns. */
  mark() {
    if (this.step === null) return;
    const problems = this.draft.problems[this.step] || [];
    const faults = [...this.body.querySelectorAll("[data-fault]")];
    faults.forEach((each) => (each.hidden = true));
    this.body.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
    const rules_of = new Map(this.rules.map(({ path }) => [path, []]));
    for (const { path, message } of problems) {
      const rule = this.rules.find((each) => path === each.path || path.startsWith(`${each.path}.`) || path.startsWith(`${each.path}[`));
      if (rule) rules_of.get(rule.path).push({ path: path.slice(rule.path.length).replace(/^\./, ""), message });
      const line = faults.filter((each) => path === each.dataset.fault || path.startsWith(`${each.dataset.fault}.`) || path.startsWith(`${each.dataset.fault}[`)).sort((a, b) => b.dataset.fault.length - a.dataset.fault.length)[0];
      if (!line || (rule && path !== rule.path)) continue;
      line.hidden = false;
      line.textContent = message;
      this.body.querySelector(`[data-path="${CSS.escape(line.dataset.fault)}"]:is(input, select)`)?.setAttribute("aria-invalid", "true");
    }
    this.rules.forEach(({ path, mark }) => mark(rules_of.get(path)));
  }

  #form() {
    // As it stands now: the form may be drawn anew before its turn comes.
    const kept = document.createElement("form");
    for (const [name, value] of new FormData(this.body.querySelector("form"))) {
      const field = document.createElement("textarea");
      field.name = name;
      field.value = value;
      kept.append(field);
    }
    return kept;
  }

  #mount() {
    this.rules = [];
    const event = () => this.body.querySelector("[name$='.event']")?.value || "";
    const of = (place) => {
      const own = place.closest("fieldset, form").querySelector("[name$='.event']");
      return () => own?.value || event();
    };
    this.body.querySelectorAll("[data-rule]").forEach((place) => {
      this.rules.push({ path: place.dataset.path, mark: rules.rule(place, place.nextElementSibling, this.facts, this.travel) });
    });
    this.body.querySelectorAll("[data-where]").forEach((place) => rules.where(place, place.nextElementSibling, this.facts, of(place)));
    this.body.querySelectorAll("[data-input]").forEach((field) => rules.suggesting(field, this.facts, of(field)));
  }

  #typed(event) {
    if (!event.target.closest("form") || event.target.matches("[data-raw], [data-rename]")) return;
    if (!event.target.name) return;
    this.dirty = true;
    this.soon();
  }

  async #changed(event) {
    const { target } = event;
    if (target.dataset.connect) {
      await this.flush();
      this.act.connect([this.step, target.dataset.connect], target.value);
    } else if (target.matches("[data-rename]")) {
      await this.flush();
      this.act.rename(this.step, target.value);
    } else if (target.matches("[data-reshape]")) {
      this.dirty = true;
      await this.flush();
      this.open(this.step, { focus: false });
    }
  }

  async #clicked(event) {
    const pressed = event.target.closest("button");
    if (!pressed) return;
    const { way, list, index } = pressed.dataset;
    if (way) {
      await this.flush();
      await this.draft.change({ act: "way", step: this.step, path: list, index: Number(index || 0), do: way });
    } else if (pressed.matches("[data-raw-save]")) {
      await this.draft.change({ act: "raw", step: this.step, text: this.body.querySelector("[data-raw]").value });
    } else if (pressed.matches("[data-value-add]")) {
      const rows = pressed.closest("[data-values]");
      const row = rows.querySelector("template").content.firstElementChild.cloneNode(true);
      rows.insertBefore(row, pressed);
      row.querySelectorAll("[data-input]").forEach((field) => rules.suggesting(field, this.facts, () => ""));
      row.querySelector("input:not([hidden])").focus();
    } else if (pressed.matches("[data-value-remove]")) {
      pressed.closest(".jb-value").remove();
      this.dirty = true;
      this.flush();
    }
  }

  async #preview() {
    const place = this.body.querySelector("[data-preview]");
    const step = this.step;
    const raw = step ? this.draft.draft.steps?.[step] : null;
    if (!place || step === null || (step !== "" && !Array.isArray(raw?.branches))) return;
    try {
      const answer = await fetch(`${this.addresses.preview}?${new URLSearchParams({ step })}`, { credentials: "same-origin" });
      const html = answer.ok ? await answer.text() : "";
      if (step !== this.step) return;
      const now = this.body.querySelector("[data-preview]");
      now.innerHTML = html;
      now.hidden = !html.trim();
    } catch {
      place.hidden = true;
    }
  }
}
