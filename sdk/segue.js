/* Segue for web pages: Segment-style calls, consent, active reading time, web push, in-app messages. First-party,
 * no dependency.
 *
 *   <script>window.segue = window.segue || [];</script>
 *   <script async src="https://segue.example/sdk/segue.js" data-key="KEY"></script>
 *
 * Calls made before the file has loaded: segue.push(["track", "Cart Viewed", {…}]). See docs/how-to/web-sdk.md.
 */
(() => {
  "use strict";

  const waiting = Array.isArray(window.segue) ? window.segue : [];
  if (window.segue && !Array.isArray(window.segue)) return; // the page loads us twice
  const script = document.currentScript;
  const ORIGIN = script ? new URL(script.src).origin : "";
  const YEAR = 31536000;
  const BATCH = 100; // events a request
  const BYTES = 60000; // browsers send no more than 64 KB while a page goes away
  const KEPT = 1000; // events that wait on a page at most; the oldest give way
  const IDLE = 30000; // ms after the last input in which somebody is still reading
  const PERSON = ["anonymous", "user", "visit"];
  const VISIT = 1800000; // ms for which what is read belongs to the message that brought the visit
  const CONSENT = "Consent Updated";
  const BEAT = 15; // active seconds between two heartbeats

  let options = {};
  let queue = [];
  let sending = false;
  let failures = 0;
  let timer = 0;
  let queueKey = "";
  const listeners = {};

  // ---- What the browser keeps: nothing before it is allowed to. ----------------------------------------

  const memory = {};

  function stored(name) {
    try {
      const value = localStorage.getItem("segue." + name);
      return value === null ? memory[name] : value;
    } catch {
      return memory[name];
    }
  }

  function store(name, value) {
    if (value === null || value === undefined) delete memory[name];
    else memory[name] = value;
    try {
      if (value === null || value === undefined) localStorage.removeItem("segue." + name);
      else if (name === "consent" || allowed()) localStorage.setItem("segue." + name, value);
    } catch {
      // Private windows and full disks: the page's own memory must do.
    }
  }

  function cookie(name) {
    const found = document.cookie.match("(?:^|; )" + name + "=([^;]*)");
    return found ? decodeURIComponent(found[1]) : null;
  }

  /** One visitor over all hosts of a site; the domain is a choice of the page. */
  function setCookie(name, value) {
    const age = value === null ? 0 : YEAR;
    const domain = options.domain ? "; Domain=" + options.domain : "";
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${encodeURIComponent(value || "")}; Path=/; Max-Age=${age}; SameSite=Lax${domain}${secure}`;
  }

  function uuid() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function anonymousId() {
    let id = memory.anonymous || stored("anonymous") || cookie("segue_id");
    if (!id) id = uuid();
    if (memory.anonymous !== id || allowed()) {
      store("anonymous", id);
      if (allowed() && cookie("segue_id") !== id) setCookie("segue_id", id);
    }
    return id;
  }

  // ---- Consent: granted, refused or not asked yet. -----------------------------------------------------

  const privacySignal = () => navigator.globalPrivacyControl === true;

  function preferences() {
    try {
      return JSON.parse(stored("consent") || "{}");
    } catch {
      return {};
    }
  }

  /** May this page measure? Asked for by `data-consent="required"`, or refused by the browser's own signal. */
  function allowed() {
    const said = preferences().tracking;
    if (said !== undefined) return said === true;
    return !privacySignal() && options.consent !== "required";
  }

  const undecided = () =>
    preferences().tracking === undefined && !privacySignal() && options.consent === "required";

  /** Keep and report choices: {tracking: true, newsletter: false, …}; `wording` names the text that was shown. */
  function setConsent(choices, wording) {
    const known = allowed() && (stored("anonymous") || cookie("segue_id"));
    store("consent", JSON.stringify({ ...preferences(), ...choices }));
    if (allowed()) {
      anonymousId(); // from now on they may be kept
      for (const name of PERSON) store(name, stored(name));
      tell(choices, wording);
    } else if (undecided()) {
      tell(choices, wording); // it waits for the answer to the question of measuring
    } else {
      // What was measured must not be sent any more; what somebody said about consent still is.
      queue = queue.filter((event) => event.userId && event.event === CONSENT);
      refuse(choices, wording, known);
    }
    emit("consent", { ...preferences(), allowed: allowed() });
  }

  const tell = (choices, wording) =>
    enqueue("track", { event: CONSENT, properties: { ...choices, wording } }, true);

  /** The refusal itself is sent, for somebody whom we know; then nothing is known here any more. */
  function refuse(choices, wording, known) {
    if (known || stored("user")) tell(choices, wording);
    send();
    forget();
  }

  function forget() {
    for (const name of PERSON) store(name, null);
    setCookie("segue_id", null);
    save();
  }

  // ---- Calls. ------------------------------------------------------------------------------------------

  function context() {
    const said = preferences();
    const [visit, since] = JSON.parse(stored("visit") || "[]");
    const found = {
      library: { name: "segue.js", version: "1" },
      page: {
        path: location.pathname,
        url: location.href.split("#")[0],
        title: document.title.slice(0, 250),
        referrer: document.referrer || undefined,
        search: location.search || undefined,
      },
      locale: navigator.language,
      timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      screen: { width: screen.width, height: screen.height },
    };
    if (Object.keys(said).length || privacySignal()) {
      found.consent = { categoryPreferences: said, gpc: privacySignal() || undefined };
    }
    if (visit && Date.now() - since < VISIT) found.campaign = { message: visit };
    return found;
  }

  function enqueue(type, fields, always) {
    if (!always && !allowed() && !undecided()) return;
    queue.push({
      type,
      messageId: uuid(),
      anonymousId: anonymousId(),
      userId: stored("user") || undefined,
      timestamp: new Date().toISOString(),
      context: context(),
      ...fields,
    });
    if (queue.length > KEPT) queue.splice(0, queue.length - KEPT);
    save();
    plan(0.2);
  }

  function identify(userId, traits) {
    if (userId && typeof userId === "object") [userId, traits] = [undefined, userId];
    if (userId) store("user", String(userId));
    enqueue("identify", { traits: traits || {} });
  }

  function page(name, properties) {
    if (name && typeof name === "object") [name, properties] = [undefined, name];
    report(); // what was read so far belongs to the page before
    begin();
    for (const look of places) look();
    const { path, url, title, referrer, search } = context().page;
    enqueue("page", { name, properties: { path, url, title, referrer, search, ...properties } });
  }

  const calls = {
    load,
    identify,
    page,
    track: (event, properties) => enqueue("track", { event, properties: properties || {} }),
    product: (properties) => enqueue("track", { event: "Product Viewed", properties: properties || {} }),
    group: (groupId, traits) => enqueue("group", { groupId: String(groupId), traits: traits || {} }),
    alias: (userId, previousId) => {
      enqueue("alias", { userId: String(userId), previousId: String(previousId || stored("user") || anonymousId()) });
      store("user", String(userId));
    },
    /** Somebody else takes the device: a new visitor from here on. */
    reset: () => {
      report();
      forget();
    },
    flush: () => send(),
    user: () => ({ userId: stored("user") || null, anonymousId: allowed() ? anonymousId() : null }),
    consent: (choices, wording) => (choices ? setConsent(choices, wording) : { ...preferences(), allowed: allowed() }),
    on: (name, listener) => (listeners[name] = listeners[name] || []).push(listener),
    subscribe,
    unsubscribe,
    /** What the site's own server signed for the user who is signed in; never kept in the browser. */
    sign: (signature) => {
      options.signature = signature;
      for (const look of places) look();
    },
    slot,
    inbox: (after) => ask("inbox", { after }),
    read: (id) => done(id, "read"),
    dismiss: (id) => done(id, "dismissed"),
  };

  function emit(name, value) {
    for (const listener of listeners[name] || []) listener(value);
  }

  // ---- The queue: survives a reload, retries, and leaves with the page. ----------------------------------

  function save() {
    if (!queueKey) return;
    store(queueKey, queue.length && allowed() ? JSON.stringify({ at: Date.now(), queue }) : null);
  }

  /** Take over what pages left behind that died with events unsent. Message ids make a repeat harmless. */
  function adopt() {
    try {
      for (const key of Object.keys(localStorage)) {
        if (!key.startsWith("segue.queue.")) continue;
        const left = JSON.parse(localStorage.getItem(key));
        if (Date.now() - left.at < 30000) continue;
        localStorage.removeItem(key);
        queue = left.queue.concat(queue).slice(-KEPT);
      }
    } catch {
      // Nothing is kept here, or somebody else wrote it.
    }
  }

  function plan(seconds) {
    if (timer || !options.key) return;
    timer = setTimeout(() => {
      timer = 0;
      send();
    }, seconds * 1000);
  }

  /** The first events that fit into one request, as its body. */
  function next() {
    const batch = [];
    let bytes = 200;
    for (const event of queue.slice(0, BATCH)) {
      bytes += new Blob([JSON.stringify(event)]).size + 1;
      if (batch.length && bytes > BYTES) break;
      batch.push(event);
    }
    return { batch, body: JSON.stringify({ writeKey: options.key, sentAt: new Date().toISOString(), batch }) };
  }

  async function send() {
    if (sending || !queue.length || !options.key || undecided()) return;
    sending = true;
    const { batch, body } = next();
    let pause = 0;
    try {
      // As plain text a request needs no preflight.
      const answer = await fetch(options.host + "/v1/b", {
        method: "POST",
        body,
        keepalive: true,
        credentials: "omit",
        headers: { "Content-Type": "text/plain" },
      });
      if (answer.status === 429 || answer.status >= 500) pause = Number(answer.headers.get("Retry-After")) || -1;
      else if (answer.status === 401 || answer.status === 404) pause = 300; // a key may be mended
    } catch {
      pause = -1;
    }
    sending = false;
    if (pause) {
      failures += 1;
      // Twice as long each time, up to five minutes, and never all visitors in one moment.
      const backoff = Math.min(300, 2 ** failures) * (0.5 + Math.random() / 2);
      plan(Math.max(pause, backoff));
      return;
    }
    failures = 0;
    const done = new Set(batch.map((event) => event.messageId));
    queue = queue.filter((event) => !done.has(event.messageId));
    save();
    if (queue.length) plan(0);
  }

  /** The page goes away: hand over what is left. What the browser does not take waits in storage. */
  function leave() {
    report();
    while (queue.length && options.key && !undecided()) {
      const { batch, body } = next();
      if (!navigator.sendBeacon || !navigator.sendBeacon(options.host + "/v1/b", new Blob([body], { type: "text/plain" }))) break;
      queue.splice(0, batch.length);
    }
    save();
  }

  // ---- Active reading time and depth. --------------------------------------------------------------------

  let active = 0;
  let reported = 0;
  let depth = 0;
  let depthReported = 0;
  let lastInput = 0;
  let readPath = "";

  function begin() {
    [active, reported, depth, depthReported, readPath] = [0, 0, 0, 0, location.pathname];
    measure();
  }

  /** The furthest quarter of the page that was on the screen. */
  function measure() {
    const whole = document.documentElement.scrollHeight;
    const seen = window.scrollY + window.innerHeight;
    depth = Math.max(depth, Math.min(100, Math.floor((seen / whole) * 4 + 0.01) * 25));
  }

  function second() {
    const reading = document.visibilityState === "visible" && document.hasFocus() && Date.now() - lastInput < IDLE;
    if (!reading || !readPath) return;
    measure();
    active += 1;
    if (active - reported >= BEAT) report();
  }

  function report() {
    if (active === reported && depth === depthReported) return;
    if (readPath && (active > reported || depthReported)) {
      const seconds = active - reported;
      [reported, depthReported] = [active, depth];
      enqueue("track", { event: "Content Engaged", properties: { path: readPath, seconds, depth } });
    }
  }

  // ---- Web push. -------------------------------------------------------------------------------------------

  /** Ask the browser for pushes and tell Segue. Call it from a click. Resolves to true or false. */
  async function subscribe({ purposes = [], worker = "/segue-sw.js" } = {}) {
    if (!("serviceWorker" in navigator) || !("PushManager" in window)) return false;
    if ((await Notification.requestPermission()) !== "granted") return false;
    const { publicKey } = await (await fetch(options.host + "/push/key")).json();
    const registration = await navigator.serviceWorker.register(worker);
    await navigator.serviceWorker.ready;
    const old = await registration.pushManager.getSubscription();
    const found = old || (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(publicKey) }));
    await send(); // so that the person is known before the subscription arrives
    const body = JSON.stringify({ writeKey: options.key, anonymousId: anonymousId(), userId: stored("user"), subscription: found, purposes });
    for (let wait = 500; ; wait *= 2) {
      const answer = await fetch(options.host + "/push/subscribe", { method: "POST", headers: { "Content-Type": "text/plain" }, body });
      if (answer.status !== 409 || wait > 8000) return answer.ok;
      await new Promise((done) => setTimeout(done, wait)); // what was just sent is not taken in yet
    }
  }

  async function unsubscribe() {
    const registration = await navigator.serviceWorker.getRegistration();
    const found = registration && (await registration.pushManager.getSubscription());
    return found ? found.unsubscribe() : false;
  }

  function bytes(key) {
    const text = atob(key.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  }

  // ---- In-app messages. ------------------------------------------------------------------------------------

  const places = [];

  async function ask(path, more) {
    if (!allowed() || !options.key) return null;
    await send(); // so that the person is known
    const { signature } = options;
    const who = { writeKey: options.key, anonymousId: anonymousId(), userId: stored("user") || undefined, signature };
    const body = JSON.stringify({ ...who, ...more });
    const headers = { "Content-Type": "text/plain" };
    try {
      const answer = await fetch(`${options.host}/i/${path}`, { method: "POST", body, headers, keepalive: true, credentials: "omit" });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  const done = (id, kind) => ask("receipts", { receipts: [{ id, kind }] });

  /** Show the messages of a place inside an element, now and while the page is open. */
  function slot(place, element, { most = 1 } = {}) {
    const target = typeof element === "string" ? document.querySelector(element) : element;
    let tag = "";
    let later = 0;
    target.setAttribute("aria-live", "polite");
    async function look() {
      clearTimeout(later);
      const found = document.visibilityState === "visible" && (await ask("messages", { place, page: location.pathname, most }));
      if (found && found.tag !== tag) {
        tag = found.tag;
        target.replaceChildren(...found.messages.map((message) => card(message, place)));
      }
      clearTimeout(later);
      later = setTimeout(look, ((found && found.poll) || 60) * 1000);
    }
    places.push(look);
    look();
  }

  function part(tag, style, text) {
    const made = document.createElement(tag);
    made.style.cssText = style;
    if (text) made.textContent = text; // never as markup
    return made;
  }

  const web = (address) => /^https?:\/\//i.test(address);

  /** One message. Its colours are the page's own; --segue-* variables change them. */
  function card(message, place) {
    const { id, title, text, link, image, button } = message;
    const happened = (kind) => emit("message", { kind, place, message });
    const box = part("section", "position:relative;display:flex;flex-wrap:wrap;gap:.75em;align-items:center;padding:1em 3em 1em 1em;margin:var(--segue-margin,.5em 0);font:var(--segue-font,inherit);color:var(--segue-color,CanvasText);background:var(--segue-background,Canvas);border:var(--segue-border,1px solid);border-radius:var(--segue-radius,.5em)");
    box.className = "segue-message";
    box.setAttribute("aria-label", title || text);
    if (web(image)) {
      const picture = part("img", "max-width:6em;max-height:6em");
      picture.alt = "";
      picture.onerror = () => picture.remove();
      picture.src = image;
      box.append(picture);
    }
    const words = part("div", "flex:1 1 12em;overflow-wrap:anywhere");
    if (title) words.append(part("strong", "display:block", title));
    words.append(part("span", "white-space:pre-line", text));
    box.append(words);
    // Loaded only where somebody is asked something.
    if (message.survey) import(`${options.host}/sdk/survey.js`).then((own) => box.append(own.question(message, part, ask, happened)));
    else if (web(link)) {
      const follow = part("a", "padding:.6em 1em;color:var(--segue-on-accent,Canvas);background:var(--segue-accent,CanvasText);border-radius:inherit;text-decoration:none", button || title || text);
      follow.href = link;
      follow.onclick = () => {
        done(id, "read"); // the link itself tells of the click
        happened("clicked");
      };
      box.append(follow);
    }
    const close = part("button", "position:absolute;top:.25em;right:.25em;min-width:2.5em;min-height:2.5em;font:inherit;color:inherit;background:none;border:0;cursor:pointer", "×");
    close.setAttribute("aria-label", document.documentElement.lang.startsWith("fr") ? "Fermer" : "Dismiss");
    close.onclick = () => {
      box.remove();
      done(id, "dismissed");
      happened("dismissed");
    };
    box.onkeydown = ({ key }) => void (key === "Escape" && close.onclick()); // false would end the key
    box.append(close);
    const watch = new IntersectionObserver(([seen]) => {
      if (!seen.isIntersecting) return;
      watch.disconnect();
      done(id, "seen");
      happened("seen");
    }, { threshold: 0.5 });
    watch.observe(box);
    return box;
  }

  // ---- Start. ----------------------------------------------------------------------------------------------

  function load(key, chosen) {
    if (options.key) return;
    options = { host: ORIGIN, page: true, ...chosen, key };
    options.host = options.host.replace(/\/$/, "");
    const address = new URL(location);
    const visit = address.searchParams.get("segue_m");
    if (visit) {
      store("visit", JSON.stringify([visit, Date.now()]));
      // Whoever gets this address from somebody did not come by the message.
      address.searchParams.delete("segue_m");
      history.replaceState(history.state, "", address);
    }
    queueKey = "queue." + uuid();
    adopt();
    // The browser's own signal counts as a refusal until the person says otherwise here.
    const known = stored("anonymous") || cookie("segue_id");
    if (known && privacySignal() && !allowed()) refuse({ tracking: false }, undefined, true);
    lastInput = Date.now();
    for (const kind of ["pointerdown", "pointermove", "keydown", "scroll", "touchstart"]) {
      addEventListener(kind, () => (lastInput = Date.now()), { passive: true, capture: true });
    }
    setInterval(second, 1000);
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
    addEventListener("pagehide", leave);
    addEventListener("online", () => send());
    if (options.spa) follow();
    begin();
    if (options.page !== false) page();
    plan(0);
  }

  /** A page that changes its address without loading counts as another page. */
  function follow() {
    const moved = () => location.pathname !== readPath && page();
    const push = history.pushState;
    history.pushState = function (...given) {
      push.apply(this, given);
      setTimeout(moved);
    };
    addEventListener("popstate", moved);
  }

  const segue = { ...calls, push: ([name, ...rest]) => calls[name] && calls[name](...rest) };
  window.segue = segue;
  if (script && script.dataset.key) {
    load(script.dataset.key, {
      host: script.dataset.host || ORIGIN,
      consent: script.dataset.consent,
      domain: script.dataset.domain,
      page: script.dataset.page !== "off",
      spa: script.dataset.spa === "on",
      signature: script.dataset.signature,
    });
  }
  waiting.forEach((call) => segue.push(call));
})();
