/* What there is to ask about, from the server: the vocabulary once, properties and values when needed. */

import { speak } from "./dom.js";

export class Facts {
  constructor(addresses) {
    this.addresses = addresses;
    this.kept = new Map();
    this.seen = new Map();
  }

  async load() {
    this.words = await this.#get(this.addresses.vocabulary);
    speak(this.words.texts);
    this.known = new Set(this.words.operators);
    return this;
  }

  attribute(name) {
    return this.words.attributes.find((term) => term.name === name);
  }

  /** Properties of an event, once asked for kept. */
  async properties(event) {
    if (!event) return [];
    const found = await this.#once(`${this.addresses.properties}?${new URLSearchParams({ event })}`);
    this.seen.set(event, found.properties || []);
    return this.seen.get(event);
  }

  /** The type of a property, if it is known by now. */
  typeOf(event, name) {
    const term = (this.seen.get(event) || []).find((each) => String(each.name) === String(name));
    return term?.type;
  }

  async values(asked) {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) [value].flat().forEach((each) => parameters.append(name, each ?? ""));
    const found = await this.#once(`${this.addresses.values}?${parameters}`);
    return (found.values || []).map((each) => ({ value: each.value, text: String(each.value) }));
  }

  #once(address) {
    if (!this.kept.has(address)) {
      const answer = this.#get(address).catch(() => {
        this.kept.delete(address);
        return {};
      });
      this.kept.set(address, answer);
    }
    return this.kept.get(address);
  }

  async #get(address) {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  }
}
