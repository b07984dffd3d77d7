/* The tree that is edited, with undo and redo. Strokes in one field within a second are one step. */

import * as tree from "./tree.js";

const MOST_STEPS = 200;
const ONE_STEP = 1000;

export class Store {
  constructor(rule) {
    this.root = tree.read(rule);
    this.past = [];
    this.future = [];
    this.listeners = [];
    this.last = { key: "", at: 0 };
  }

  listen(act) {
    this.listeners.push(act);
  }

  /** A change of the tree's shape: `act(root)` does it and returns the id to look at next, or null. */
  change(act) {
    const before = structuredClone(this.root);
    const id = act(this.root);
    if (id === null) return null;
    this.#keep(before);
    this.last = { key: "", at: 0 };
    this.#tell({ redraw: true, look: id });
    return id;
  }

  /** A change inside one leaf. `redraw` where the leaf's fields are others afterwards. */
  edit(id, key, act, { redraw = false } = {}) {
    const now = Date.now();
    const same = this.last.key === `${id}:${key}` && now - this.last.at < ONE_STEP;
    if (!same) this.#keep(structuredClone(this.root));
    this.future = [];
    this.last = { key: `${id}:${key}`, at: now };
    act(tree.find(this.root, id).node);
    this.#tell({ redraw, look: null });
  }

  /** Another rule altogether, as one step that can be undone. */
  replace(rule) {
    this.#keep(structuredClone(this.root));
    this.root = tree.read(rule);
    this.#tell({ redraw: true, look: null });
  }

  undo() {
    return this.#travel(this.past, this.future);
  }

  redo() {
    return this.#travel(this.future, this.past);
  }

  #travel(from, to) {
    if (!from.length) return false;
    to.push(this.root);
    this.root = from.pop();
    this.last = { key: "", at: 0 };
    this.#tell({ redraw: true, look: null });
    return true;
  }

  #keep(before) {
    this.past.push(before);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.future = [];
  }

  #tell(how) {
    this.listeners.forEach((act) => act(how));
  }
}
