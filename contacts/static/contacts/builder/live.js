/* What the server says of the rule while it changes: words and faults soon, size and people a little later.
 * Only the latest question counts: an older one is given up here, and ended by the server too.
 */

import { announce, h, later, number, t } from "./dom.js";

const SOON = 120;
const COUNT_AFTER = 450;
const STILL_AFTER = 4000;

export class Live {
  constructor(page, addresses, token, { faults, root }) {
    this.page = page;
    this.addresses = addresses;
    this.token = token;
    this.faults = faults;
    this.root = root;
    this.asker = crypto.randomUUID?.() || String(Math.random());
    this.asking = {};
    this.judge = later(() => this.#judge(), SOON);
    this.count = later(() => this.#count(), COUNT_AFTER);
  }

  /** Ask about this rule. `slug` is the segment's own, so that it cannot ask about itself. */
  ask(rule, slug) {
    this.rule = rule;
    this.slug = slug;
    this.#give_up("count");
    this.#state("counting");
    this.judge();
    this.count();
  }

  /** Size of another rule, asked beside the main question; null where there is no answer. */
  async once(rule) {
    const answer = await this.#post("once", this.addresses.count, { rule, slug: this.slug, asker: `${this.asker} each`, as_of: this.as_of || null });
    return answer?.status === 200 ? answer.body.size : null;
  }

  async #judge() {
    const answer = await this.#post("judge", this.addresses.judge, { rule: this.rule, slug: this.slug });
    if (!answer) return;
    this.faults(answer.body.faults || []);
    const words = this.page.querySelector("[data-live=words]");
    if (answer.body.words) words.textContent = answer.body.words;
    words.classList.toggle("is-old", !answer.body.words);
  }

  async #count() {
    const still = window.setTimeout(() => this.#state("still"), STILL_AFTER);
    const asked = { rule: this.rule, slug: this.slug, asker: this.asker, as_of: this.as_of || null };
    const answer = await this.#post("count", this.addresses.count, asked);
    window.clearTimeout(still);
    if (!answer) return;
    if (answer.status === 200) this.#show(answer.body);
    else this.#state({ 422: "unfinished", 503: "slow" }[answer.status] || "failed");
  }

  #show({ size, base, share, sample, unsure }) {
    this.#state("counted");
    if (unsure) this.#put("state", t("as it was on {day}; something of {count} contacts changed since and counts as it is today", { day: this.as_of, count: number(unsure) }));
    this.#put("size", number(size));
    this.#put("share", t("{share} % of {base} contacts", { share: share > 0 && share < 0.1 ? "<0.1" : number(Math.round(share * 10) / 10), base: number(base) }));
    const bar = this.page.querySelector("[data-live=bar]");
    bar.max = Math.max(base, 1);
    bar.value = size;
    const list = this.page.querySelector("[data-live=sample]");
    list.replaceChildren(...sample.map((person) => h("li", {}, h("a", { href: person.address, target: "_blank", rel: "noopener" }, person.name), h("span", { class: "segue-muted" }, person.email === person.name ? "" : person.email))));
    this.page.querySelector("[data-live=people]").hidden = !sample.length;
    announce(t("{size} contacts", { size: number(size) }));
  }

  #state(name) {
    const said = {
      counting: t("Counting …"),
      still: t("Still counting … the rule asks for much. Go on editing, nothing is lost."),
      unfinished: t("Counted as soon as every condition is filled in."),
      slow: t("Counting took longer than 15 seconds and was stopped. A shorter window or fewer conditions make it quicker."),
      failed: t("The server did not answer. It is asked again with your next change."),
      counted: this.as_of ? t("as it was on {day}", { day: this.as_of }) : "",
    };
    this.page.dataset.state = name;
    this.#put("state", said[name]);
  }

  #put(name, text) {
    this.page.querySelector(`[data-live=${name}]`).textContent = text;
  }

  #give_up(name) {
    this.asking[name]?.abort();
    delete this.asking[name];
  }

  async #post(name, address, body) {
    this.#give_up(name);
    const control = new AbortController();
    this.asking[name] = control;
    try {
      const answer = await fetch(address, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": this.token },
        credentials: "same-origin",
        body: JSON.stringify(body),
        signal: control.signal,
      });
      const decoded = await answer.json().catch(() => ({}));
      return control.signal.aborted ? null : { status: answer.status, body: decoded };
    } catch {
      if (!control.signal.aborted && name === "count") this.#state("failed");
      return null;
    }
  }
}
