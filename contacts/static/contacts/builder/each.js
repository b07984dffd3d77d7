/* How many each condition holds for by itself, one question after the other, until something changes. */

import { number, t } from "./dom.js";
import * as tree from "./tree.js";

export class Each {
  constructor(canvas, live, place) {
    this.canvas = canvas;
    this.live = live;
    this.counts = new Map();
    this.turn = 0;
    place.addEventListener("click", () => this.ask());
  }

  /** What was counted is true no more. */
  forget() {
    this.turn += 1;
    this.counts.clear();
    this.draw();
  }

  async ask() {
    const mine = (this.turn += 1);
    const root = this.live.root();
    const nodes = [...tree.walk(root)].filter(({ node }) => node !== root && (node.kind === "leaf" || node.parts.length)).map(({ node }) => node);
    for (const node of nodes) {
      this.counts.set(node.id, "…");
      this.draw();
      // One after the other: each is a question of its own to the database.
      const answer = await this.live.once(tree.write(tree.group([node])).rule); // eslint-disable-line no-await-in-loop
      if (mine !== this.turn) return;
      this.counts.set(node.id, answer === null ? "?" : number(answer));
      this.draw();
    }
  }

  draw() {
    for (const badge of this.canvas.querySelectorAll("[data-count]")) {
      const counted = this.counts.get(badge.dataset.count);
      badge.hidden = counted === undefined;
      badge.textContent = counted ?? "";
      badge.title = t("contacts for whom this holds by itself");
    }
  }
}
