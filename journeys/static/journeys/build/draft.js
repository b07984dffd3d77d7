/* The draft as the server keeps it: changes go there one after the other, each answered by the new picture.
 *
 * Undo and redo are drafts of before, kept in this tab also across a reload. A change that meets a draft of
 * somebody else's is told to `conflict`; nothing is overwritten unasked.
 */

const MOST = 60;
const ROOM = 2_000_000;
const ONE_STEP = 2500;
const TRIES = 4;

export class Draft {
  constructor(begun, token, tell) {
    Object.assign(this, { draft: begun.draft, revision: begun.revision, steps: begun.steps, problems: begun.problems });
    this.address = begun.addresses.change;
    this.token = token;
    this.tell = tell;
    this.key = `segue-journey-${begun.journey}`;
    this.past = [];
    this.future = [];
    this.last = { name: "", at: 0 };
    this.busy = 0;
    this.queue = Promise.resolve();
    this.#remember();
  }

  /** Ask for a change; `form` is what the panel holds. Resolves to the answer, or null where it was refused. */
  change(asked, { form = null, typing = "" } = {}) {
    this.busy += 1;
    this.tell.saving();
    const done = this.queue.then(() => this.#send(asked, form, typing)).finally(() => {
      this.busy -= 1;
    });
    this.queue = done.catch(() => null);
    return done;
  }

  async travel(way) {
    const [from, to] = way === "undo" ? [this.past, this.future] : [this.future, this.past];
    await this.queue;
    if (!from.length) return null;
    const before = this.draft;
    const answer = await this.change({ act: "replace", draft: JSON.parse(from[from.length - 1]) }, { typing: null });
    if (!answer) return null;
    from.pop();
    to.push(JSON.stringify(before));
    this.#store();
    this.tell.shown(answer, { act: way });
    return answer;
  }

  /** Go on from somebody else's draft. One's own stays the next thing to undo. */
  take(theirs) {
    this.past.push(JSON.stringify(this.draft));
    this.future = [];
    this.#adopt(theirs);
    this.tell.shown(theirs, { act: "theirs" });
  }

  /** Put one's own draft back over somebody else's, which stays the next thing to undo; then the change. */
  async insist(theirs, asked, form) {
    const mine = this.draft;
    Object.assign(this, { revision: theirs.revision, draft: theirs.draft });
    await this.change({ act: "replace", draft: mine });
    if (asked && asked.act !== "replace") await this.change(asked, { form });
  }

  async #send(asked, form, typing) {
    const body = new FormData(form || undefined);
    body.set("asked", JSON.stringify(asked));
    body.set("revision", this.revision);
    const answer = await this.#post(body);
    if (!answer) return null;
    const found = await answer.json().catch(() => ({}));
    if (answer.status === 409) {
      this.tell.conflict(found, asked, form);
      return null;
    }
    if (!answer.ok) {
      this.tell.refused(found.refused || "");
      return null;
    }
    if (typing !== null) this.#keep(typing, found.draft);
    this.#adopt(found);
    if (typing !== null) this.tell.shown(found, asked);
    return found;
  }

  async #post(body) {
    for (let tried = 1; tried <= TRIES; tried += 1) {
      try {
        return await fetch(this.address, { method: "POST", headers: { "X-CSRFToken": this.token }, credentials: "same-origin", body });
      } catch {
        this.tell.waiting();
        await new Promise((go) => window.setTimeout(go, 1000 * tried));
      }
    }
    this.tell.failed();
    return null;
  }

  #keep(typing, next) {
    if (JSON.stringify(next) === JSON.stringify(this.draft)) return;
    const now = Date.now();
    const same = typing && this.last.name === typing && now - this.last.at < ONE_STEP;
    this.last = { name: typing, at: now };
    if (!same) this.past.push(JSON.stringify(this.draft));
    this.future = [];
  }

  #adopt(found) {
    Object.assign(this, { draft: found.draft, revision: found.revision, steps: found.steps, problems: found.problems });
    this.#store();
  }

  #store() {
    let room = ROOM;
    const kept = this.past.slice(-MOST).reverse().filter((each) => (room -= each.length) > 0).reverse();
    this.past = kept;
    try {
      sessionStorage.setItem(this.key, JSON.stringify({ revision: this.revision, past: kept, future: this.future.slice(-MOST) }));
    } catch {
      sessionStorage.removeItem(this.key); // Full: undo then reaches back to the last reload only.
    }
  }

  #remember() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.key) || "{}");
      if (kept.revision !== this.revision) return;
      this.past = kept.past || [];
      this.future = kept.future || [];
    } catch {
      sessionStorage.removeItem(this.key);
    }
  }
}
