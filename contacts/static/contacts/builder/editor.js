/* The tree of a rule under somebody's hands: what buttons and keys do to it, its picture, focus and faults. */

import * as cards from "./cards.js";
import { nameOf } from "./conditions.js";
import { announce, t } from "./dom.js";
import * as drag from "./drag.js";
import * as keys from "./keys.js";
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

/** Edits a rule on `canvas`. `changed(rule)` is told of each change; keys are heard within `place`. */
export class Editor {
  constructor({ place, canvas, facts, rule, changed, travel }) {
    this.canvas = canvas;
    this.facts = facts;
    this.changed = changed;
    this.adding = null;
    this.faults = [];
    this.store = new Store(rule);
    this.store.listen(({ redraw }) => {
      if (redraw) this.draw();
      this.#tell();
    });
    this.travel = travel || ((way) => this.store[way]() && announce(t(way === "undo" ? "Undone" : "Done again")));
    keys.listen(place, { act: (...given) => this.act(...given), undo: () => this.travel("undo"), redo: () => this.travel("redo") });
    drag.listen(canvas, { drop: (id, parent, index) => this.store.change((root) => tree.move(root, id, parent, index)) });
    canvas.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.adding) return;
      event.stopPropagation();
      this.act("cancel", this.adding);
    });
    this.draw();
    this.places = tree.write(this.store.root).places;
  }

  /** The rule as the server judges it. */
  rule() {
    return tree.write(this.store.root).rule;
  }

  /** Show these faults, each at its condition: [{path, message}]. */
  mark(faults) {
    this.faults = faults;
    this.#mark();
  }

  /** Another rule altogether. */
  replace(rule) {
    this.adding = null;
    this.store.replace(rule);
  }

  #tell() {
    const { rule, places } = tree.write(this.store.root);
    this.places = places;
    this.changed(rule);
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
      return this.focus(`[data-key="${id}:mode"]`);
    } else look = this.store.change((now) => ACTS[command](now, id));
    if (look === null) return announce(t("That is not possible here"));
    const at = tree.find(this.store.root, look);
    announce(t(SAID[command], { name: name || nameOf(at.node) }));
    return this.#look(look, command);
  }

  #pick(id) {
    this.adding = id;
    this.draw();
    this.focus(`[data-key="${id}:picker"]`);
  }

  #cancel(id) {
    this.adding = null;
    const { node, parent } = tree.find(this.store.root, id);
    if (parent && !node.parts.length) this.#look(this.store.change((root) => tree.remove(root, id)));
    else {
      this.draw();
      this.focus(`[data-key="${id}:add"]`);
    }
  }

  /** Where people go on: the first open field of what was added, the button they pressed, else the card. */
  #look(id, command) {
    const card = `[data-node="${id}"]`;
    if (command === "add-group") return this.focus(`[data-key="${id}:picker"]`);
    if (command === "insert") {
      const fields = [...this.canvas.querySelectorAll(`${card} .sb-line :is(input, select)`)];
      const open = fields.find((field) => field.tagName === "INPUT" && !field.value);
      (open || fields[0] || this.canvas.querySelector(card)).focus();
      return undefined;
    }
    const own = this.canvas.querySelector(`[data-key="${id}:${command}"]:not([disabled])`);
    return own ? own.focus() : this.focus(card);
  }

  focus(selector) {
    (this.canvas.querySelector(selector) || this.canvas).focus();
  }

  draw() {
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
}
