/* The segment builder's page: the editor of its rule, and what keeps it, the JSON and the server in step. */

import { announce, h, later, t } from "./dom.js";
import { Each } from "./each.js";
import { Editor } from "./editor.js";
import { Facts } from "./facts.js";
import { Live } from "./live.js";

class Builder {
  constructor(place, facts) {
    this.place = place;
    this.json = document.getElementById("id_rule");
    this.facts = facts;
    const canvas = place.querySelector("[data-builder=canvas]");
    this.editor = new Editor({ place, canvas, facts, rule: this.#decoded() || {}, changed: (rule) => this.#tell(rule) });
    this.live = new Live(document.getElementById("sb-live"), facts.addresses, place.closest("form").querySelector("[name=csrfmiddlewaretoken]").value, {
      faults: (found) => this.editor.mark(found),
      root: () => this.editor.store.root,
    });
    this.each = new Each(canvas, this.live, place.querySelector("[data-builder=each]"));
    this.#wire();
    this.#tell(this.editor.rule());
    this.json.value = this.#encoded();
  }

  #tell(rule = this.editor.rule()) {
    this.each.forget();
    if (document.activeElement !== this.json) this.json.value = this.#encoded(rule);
    this.live.ask(rule, this.place.dataset.slug);
    this.place.querySelector("[data-builder=undo]").disabled = !this.editor.store.past.length;
    this.place.querySelector("[data-builder=redo]").disabled = !this.editor.store.future.length;
  }

  #wire() {
    this.place.querySelector("[data-builder=undo]").addEventListener("click", () => this.editor.travel("undo"));
    this.place.querySelector("[data-builder=redo]").addEventListener("click", () => this.editor.travel("redo"));
    this.json.addEventListener("input", later(() => this.#typed(), 300));
    this.json.addEventListener("blur", () => this.#decoded() && (this.json.value = this.#encoded()));
    document.getElementById("sb-as-of")?.addEventListener("change", (event) => {
      this.live.as_of = event.target.value;
      this.#tell();
    });
    this.place.querySelectorAll("[data-starter]").forEach((each) => each.addEventListener("click", () => this.#start(each)));
  }

  #start(each) {
    const starter = this.facts.words.starters[Number(each.dataset.starter)];
    this.editor.replace(starter.rule);
    announce(t("{name} added", { name: starter.name }));
    this.editor.focus("[data-node]");
    each.closest("details")?.removeAttribute("open");
  }

  #typed() {
    const rule = this.#decoded();
    this.json.toggleAttribute("aria-invalid", !rule);
    document.getElementById("sb-json-fault").hidden = Boolean(rule);
    if (rule) this.editor.replace(rule);
  }

  #decoded() {
    try {
      const rule = JSON.parse(this.json.value || "{}");
      return rule && typeof rule === "object" && !Array.isArray(rule) ? rule : null;
    } catch {
      return null;
    }
  }

  #encoded(rule = this.editor.rule()) {
    return JSON.stringify(rule, null, 2);
  }
}

async function start() {
  const place = document.getElementById("sb");
  if (!place) return;
  const facts = new Facts(JSON.parse(document.getElementById("sb-addresses").textContent));
  try {
    await facts.load();
  } catch {
    // Without the vocabulary the JSON is still there, and everything works with it.
    place.querySelector("[data-builder=canvas]").replaceChildren(h("p", { class: "segue-note is-warn" }, "The builder could not be loaded. The rule can be edited as JSON below."));
    document.documentElement.classList.add("has-builder");
    return;
  }
  document.documentElement.classList.add("has-builder");
  if (!place.querySelector(".sb-expert .errorlist")) place.querySelector(".sb-expert").open = false;
  new Builder(place, facts); // eslint-disable-line no-new
}

start();
