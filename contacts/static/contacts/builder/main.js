/* The segment builder: the tree, its picture, and what keeps the two, the JSON and the server in step. */

import * as cards from "./cards.js";
import { nameOf } from "./conditions.js";
import { announce, h, later, t } from "./dom.js";
import * as drag from "./drag.js";
import { Each } from "./each.js";
import { Facts } from "./facts.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { Store } from "./store.js";
import * as tree from "./tree.js";

const SAID = {
  up: "{name} moved up",
  down: "{name} moved down",
  outward: "{name} moved out of the group",
  inward: "{name} moved into the group",
  wrap: "{name} wrapped in a group",
  unwrap: "Group dissolved",
  duplicate: "{name} duplicated",
  remove: "{name} removed",
  negate: "{name} turned into its opposite",
  insert: "{name} added",
  "add-group": "Group added",
};
const ACTS = {
  up: (root, id) => tree.shift(root, id, -1),
  down: (root, id) => tree.shift(root, id, 1),
  outward: tree.outward,
  inward: tree.inward,
  wrap: tree.wrap,
  unwrap: tree.unwrap,
  duplicate: tree.duplicate,
  remove: tree.remove,
  negate: (root, id) => {
    const { node } = tree.find(root, id);
    if (node.kind === "leaf") node.not = !node.not;
    else node.mode = { all: "notall", notall: "all", any: "none", none: "any" }[node.mode];
    return id;
  },
};

class Builder {
  constructor(place, facts) {
    this.place = place;
    this.canvas = place.querySelector("[data-builder=canvas]");
    this.json = document.getElementById("id_rule");
    this.facts = facts;
    this.adding = null;
    this.faults = [];
    this.store = new Store(this.#decoded() || {});
    this.live = new Live(document.getElementById("sb-live"), facts.addresses, place.closest("form").querySelector("[name=csrfmiddlewaretoken]").value, {
      faults: (found) => {
        this.faults = found;
        this.#mark();
      },
      root: () => this.store.root,
    });
    this.each = new Each(this.canvas, this.live, place.querySelector("[data-builder=each]"));
    this.store.listen((how) => this.#changed(how));
    this.#wire();
    this.#changed({ redraw: true, look: null });
    this.json.value = this.#encoded();
  }

  act(command, id, more) {
    const root = this.store.root;
    const found = tree.find(root, id);
    if (!found) return undefined;
    if (command === "add") return this.#pick(id);
    if (command === "cancel") return this.#cancel(id);
    const name = command === "insert" ? "" : nameOf(found.node);
    if (!found.parent && !["mode", "insert", "add-group", "negate"].includes(command)) return undefined;
    let look = null;
    if (command === "insert") {
      this.adding = null;
      look = this.store.change((now) => tree.add(now, id, tree.leaf(more)));
    } else if (command === "add-group") {
      const made = tree.group([], found.node.mode === "any" ? "all" : "any");
      this.adding = made.id;
      look = this.store.change((now) => tree.add(now, id, made));
    } else if (command === "mode") {
      this.store.change((now) => {
        tree.find(now, id).node.mode = more;
        return id;
      });
      return this.#focus(`[data-key="${id}:mode"]`);
    } else look = this.store.change((now) => ACTS[command](now, id));
    if (look === null) return announce(t("That is not possible here"));
    const at = tree.find(this.store.root, look);
    announce(t(SAID[command], { name: name || nameOf(at.node) }));
    return this.#look(look, command);
  }

  #pick(id) {
    this.adding = id;
    this.#draw();
    this.#focus(`[data-key="${id}:picker"]`);
  }

  #cancel(id) {
    this.adding = null;
    const { node, parent } = tree.find(this.store.root, id);
    if (parent && !node.parts.length) this.#look(this.store.change((root) => tree.remove(root, id)));
    else {
      this.#draw();
      this.#focus(`[data-key="${id}:add"]`);
    }
  }

  /** Where people go on: the first open field of what was added, the button they pressed, else the card. */
  #look(id, command) {
    const card = `[data-node="${id}"]`;
    if (command === "add-group") return this.#focus(`[data-key="${id}:picker"]`);
    if (command === "insert") {
      const fields = [...this.canvas.querySelectorAll(`${card} .sb-line :is(input, select)`)];
      const open = fields.find((field) => field.tagName === "INPUT" && !field.value);
      (open || fields[0] || this.canvas.querySelector(card)).focus();
      return undefined;
    }
    const own = this.canvas.querySelector(`[data-key="${id}:${command}"]:not([disabled])`);
    return own ? own.focus() : this.#focus(card);
  }

  #focus(selector) {
    (this.canvas.querySelector(selector) || this.canvas).focus();
  }

  #changed({ redraw }) {
    if (redraw) this.#draw();
    this.#tell();
  }

  #tell() {
    this.each.forget();
    const { rule, places } = tree.write(this.store.root);
    this.places = places;
    if (document.activeElement !== this.json) this.json.value = this.#encoded(rule);
    this.live.ask(rule, this.place.dataset.slug);
    this.place.querySelector("[data-builder=undo]").disabled = !this.store.past.length;
    this.place.querySelector("[data-builder=redo]").disabled = !this.store.future.length;
  }

  #draw() {
    const focus = document.activeElement?.dataset?.key;
    const inside = this.canvas.contains(document.activeElement);
    const at = document.activeElement?.selectionStart;
    this.canvas.replaceChildren(cards.tree(this.store.root, { store: this.store, facts: this.facts, act: (...given) => this.act(...given), adding: this.adding }));
    this.#mark();
    if (!inside) return;
    const field = focus && this.canvas.querySelector(`[data-key="${CSS.escape(focus)}"]`);
    // Where the field is gone, the keys still work from the canvas.
    (field || this.canvas).focus();
    if (field?.type === "text" && at !== null && at !== undefined) field.setSelectionRange(at, at);
  }

  #mark() {
    const found = new Map();
    for (const { path, message } of this.faults) {
      const place = tree.at(this.places || new Map(), path) || { id: this.store.root.id, inside: path };
      found.set(place.id, [...(found.get(place.id) || []), { inside: place.inside, message }]);
    }
    cards.showFaults(this.canvas, found);
  }

  #wire() {
    const travel = (way) => () => {
      if (this.store[way]()) announce(t(way === "undo" ? "Undone" : "Done again"));
    };
    keys.listen(this.place, { act: (...given) => this.act(...given), undo: travel("undo"), redo: travel("redo") });
    drag.listen(this.canvas, { drop: (id, parent, index) => this.store.change((root) => tree.move(root, id, parent, index)) });
    this.place.querySelector("[data-builder=undo]").addEventListener("click", travel("undo"));
    this.place.querySelector("[data-builder=redo]").addEventListener("click", travel("redo"));
    this.canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.adding) this.act("cancel", this.adding);
    });
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
    this.adding = null;
    this.store.replace(starter.rule);
    announce(t("{name} added", { name: starter.name }));
    this.#focus("[data-node]");
    each.closest("details")?.removeAttribute("open");
  }

  #typed() {
    const rule = this.#decoded();
    this.json.toggleAttribute("aria-invalid", !rule);
    document.getElementById("sb-json-fault").hidden = Boolean(rule);
    if (rule) this.store.replace(rule);
  }

  #decoded() {
    try {
      const rule = JSON.parse(this.json.value || "{}");
      return rule && typeof rule === "object" && !Array.isArray(rule) ? rule : null;
    } catch {
      return null;
    }
  }

  #encoded(rule = tree.write(this.store.root).rule) {
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
