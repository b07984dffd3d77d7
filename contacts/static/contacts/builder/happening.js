/* Conditions on what people did and on what became of messages: how often, when, which, and what followed. */

import { combobox, matching } from "./combobox.js";
import { comparison, starting, typeFor } from "./comparing.js";
import { button, h, input, select, t } from "./dom.js";
import { length, windowOf } from "./lengths.js";

const HOW = [
  ["once", "at least once"],
  ["never", "never"],
  ["gte", "at least … times"],
  ["lte", "at most … times"],
  ["eq", "exactly … times"],
  ["range", "between … and … times"],
];
const TOTALS = { sum: "the total of", avg: "the average of", min: "the lowest", max: "the highest" };
export const MESSAGE_WORDS = {
  sent: "were sent",
  delivered: "received",
  opened: "opened",
  clicked: "clicked in",
  bounced: "bounced on",
  complained: "complained about",
  unsubscribed: "unsubscribed from",
  dropped: "had dropped",
  held: "had held back",
  failed: "had fail",
};

const totalOf = (data) => Object.keys(TOTALS).find((name) => data[name]);

function how(data) {
  if (data.pick) return `pick:${data.pick}`;
  const total = totalOf(data);
  if (total) return `total:${total}`;
  const count = data.count;
  if (count === undefined || count === null) return "once";
  if (typeof count !== "object") return "eq";
  const keys = Object.keys(count);
  if (keys.length === 1 && keys[0] === "lte" && count.lte === 0) return "never";
  if (keys.length === 1 && ["gte", "lte", "eq"].includes(keys[0])) return keys[0];
  return "gte" in count && "lte" in count && keys.length === 2 ? "range" : "other";
}

function setHow(data, chosen) {
  for (const name of ["count", "pick", "among", ...Object.keys(TOTALS)]) delete data[name];
  const [first, second] = chosen.split(":");
  if (first === "pick") data.pick = second;
  else if (first === "total") data[second] = { property: "", gte: "" };
  else if (chosen === "never") data.count = { lte: 0 };
  else if (chosen === "range") data.count = { gte: 1, lte: 5 };
  else if (chosen !== "once") data.count = { [chosen]: chosen === "gte" ? 2 : 1 };
}

const whole = (typed) => (typed === "" ? "" : Number(typed));

function amountFields(data, scope) {
  const { prefix, edit } = scope;
  const chosen = how(data);
  const count = (name) =>
    input({ type: "number", min: "0", step: "1", size: "small", value: typeof data.count === "object" ? data.count[name] : data.count, label: t("How often"), key: `${prefix}:count-${name}`, path: `count.${name}`, act: (typed) => edit(`count-${name}`, (given) => (given.count = { ...(typeof given.count === "object" ? given.count : {}), [name]: whole(typed) })) });
  const times = h("span", { class: "sb-word" }, t("times"));
  const and = h("span", { class: "sb-word" }, t("and"));
  if (["gte", "lte", "eq"].includes(chosen)) return [count(chosen), times];
  if (chosen === "range") return [count("gte"), and, count("lte"), times];
  return chosen.startsWith("total:") ? totalFields(data, chosen.slice(6), scope) : [];
}

function totalFields(data, name, { prefix, edit, properties }) {
  const given = data[name];
  const change = (key, act, redraw) => edit(`${name}-${key}`, (leaf) => act(leaf[name]), redraw);
  const bounds = "lte" in given ? ("gte" in given ? "range" : "lte") : "gte";
  const bound = (key) =>
    input({ type: "number", step: "any", size: "number", value: given[key], label: t("Amount"), key: `${prefix}:${name}-${key}`, path: `${name}.${key}`, act: (typed) => change(key, (total) => (total[key] = whole(typed))) });
  const set = (chosen) =>
    change("bounds", (total) => {
      const amount = total.gte ?? total.lte ?? "";
      delete total.gte;
      delete total.lte;
      if (chosen !== "lte") total.gte = amount;
      if (chosen !== "gte") total.lte = chosen === "range" ? "" : amount;
    }, true);
  const options = [["gte", t("is at least")], ["lte", t("is at most")], ["range", t("is between")]];
  return [
    property({ value: given.property, key: `${prefix}:${name}-property`, path: `${name}.property`, properties, only: "number", put: (value) => change("property", (total) => (total.property = value)) }),
    select({ options, value: bounds, label: t("Comparison"), key: `${prefix}:${name}-bounds`, act: set }),
    ...(bounds === "range" ? [bound("gte"), h("span", { class: "sb-word" }, t("and")), bound("lte")] : [bound(bounds)]),
  ];
}

const shown = (name) => (Array.isArray(name) ? name.join(" › ") : String(name ?? ""));

function property({ value, key, path, properties, put, only }) {
  const load = async (text) => {
    const found = (await properties()).filter((term) => !only || term.type === only);
    return matching(found.map((term) => ({ value: term.name, text: shown(term.name), note: note(term) })), text);
  };
  return combobox({ label: t("Property"), key, path, value: shown(value), placeholder: t("property"), free: true, load, take: (choice) => put(choice.value), typed: put });
}

export function note(term) {
  const samples = (term.samples || []).slice(0, 3).map(String).join(", ");
  return samples ? `${t(term.type)} · ${samples.slice(0, 40)}` : t(term.type);
}

/* ── Tests of properties: a flat list, all or any of which hold. What is nested deeper stays as it is. ── */

const flat = (tests) => Array.isArray(tests) && tests.every((each) => each && typeof each === "object" && "property" in each);

function testsOf(where) {
  if (where === undefined || where === null) return { word: "all", tests: [] };
  if (flat(where)) return { word: "all", tests: where };
  if (flat(where.any)) return { word: "any", tests: where.any };
  return null;
}

function putTests(data, word, tests) {
  if (!tests.length) delete data.where;
  else data.where = word === "any" ? { any: tests } : tests;
}

/** One line for each test of a property, and a button for another. */
export function whereLines(data, scope) {
  const found = testsOf(data.where);
  if (!found) return [h("div", { class: "sb-line sb-note" }, t("Has nested tests of properties; change them in the JSON."))];
  const { word, tests } = found;
  const change = (key, act, redraw) => scope.edit(`where-${key}`, (leaf) => {
    const now = testsOf(leaf.where);
    act(now.tests);
    putTests(leaf, now.word, now.tests);
  }, redraw);
  const base = word === "any" ? "where.any" : "where";
  return tests.map((test, index) => {
    const prefix = `${scope.prefix}:where${index}`;
    const path = `${base}[${index}].`;
    const edit = (key, act, redraw) => change(`${index}-${key}`, (all) => act(all[index]), redraw);
    const lead = index === 0
      ? h("span", { class: "sb-word" }, t("where"))
      : select({ options: [["all", t("and")], ["any", t("or")]], value: word, label: t("Joined by"), key: `${prefix}:join`, act: (chosen) => scope.edit("join", (leaf) => putTests(leaf, chosen, testsOf(leaf.where).tests), true) });
    return h(
      "div",
      { class: "sb-line is-inner" },
      lead,
      property({ value: test.property, key: `${prefix}:property`, path: `${path}property`, properties: scope.properties, put: (value) => retype(value, test, edit, scope) }),
      comparison({ data: test, type: typeFor(scope.typeOf(test.property), test.op), prefix, path, edit, values: (text) => scope.values(test.property, text), known: scope.known }),
      button({ label: t("Remove this filter"), sign: "close", key: `${prefix}:remove`, act: () => change("remove", (all) => all.splice(index, 1), true) }),
    );
  });
}

function retype(value, test, edit, scope) {
  const before = scope.typeOf(test.property);
  const after = scope.typeOf(value);
  edit("property", (given) => {
    given.property = value;
    if (!after || after === before) return;
      delete given.value;
      Object.assign(given, starting(after));
  }, Boolean(after && after !== before));
}

export function addTest(data, scope) {
  if (!testsOf(data.where)) return;
  scope.edit("where-add", (leaf) => {
    const { word, tests } = testsOf(leaf.where);
    putTests(leaf, word, [...tests, { property: "", op: "is" }]);
  }, true);
}

/* ── What follows ── */

/** A line for what must, or must not, come after; and so on along the chain. */
export function followLines(data, scope, place = "", depth = 1) {
  const word = data.then ? "then" : data.then_not ? "then_not" : null;
  if (!word) return [];
  const follow = data[word];
  const path = `${place}${word}.`;
  const reach = (leaf) => path.slice(0, -1).split(".").reduce((inner, step) => inner[step], leaf);
  const outer = (leaf) => path.split(".").slice(0, -2).reduce((inner, step) => inner[step], leaf);
  const edit = (key, act, redraw) => scope.edit(`${path}${key}`, (leaf) => act(reach(leaf)), redraw);
  const prefix = `${scope.prefix}:${path}`;
  const turn = (chosen) => scope.edit(`${path}turn`, (leaf) => {
    const holder = outer(leaf);
    const kept = holder[word];
    delete holder[word];
    if (chosen === "then_not") delete kept.then;
    holder[chosen] = kept;
  }, true);
  const name = "message" in follow ? `${t("message")}: ${follow.message}` : follow.event;
  const line = h(
    "div",
    { class: "sb-line is-inner" },
    select({ options: [["then", t("and then did")], ["then_not", t("and then did not")]], value: word, label: t("What followed"), key: `${prefix}word`, act: turn }),
    combobox({ label: t("Event that followed"), key: `${prefix}event`, path: `${path}event`, value: name, placeholder: t("event"), free: true, load: scope.followers, take: (choice) => edit("event", (given) => setFollower(given, choice.value)), typed: (typed) => edit("event", (given) => setFollower(given, typed)) }),
    h("span", { class: "sb-word" }, t("within")),
    length({ value: follow.within, label: t("Within"), key: `${prefix}within`, path: `${path}within`, units: ["minute", "hour", "day", "week"], put: (value) => edit("within", (given) => (given.within = value)) }),
    button({ label: t("Remove what followed"), sign: "close", key: `${prefix}remove`, act: () => scope.edit(`${path}remove`, (leaf) => delete outer(leaf)[word], true) }),
  );
  const more = word === "then" && depth < 5 ? followLines(follow, scope, path, depth + 1) : [];
  return [line, ...more];
}

function setFollower(given, value) {
  delete given.event;
  delete given.message;
  if (typeof value === "object") Object.assign(given, value);
  else given.event = value;
}

export function addFollow(data, scope) {
  scope.edit("then-add", (leaf) => {
    let holder = leaf;
    while (holder.then) holder = holder.then;
    if (!holder.then_not) holder.then = { event: "", within: "7 days" };
  }, true);
}

/* ── The first line ── */

export function amount(data, scope, { totals, picks }) {
  const groups = [{ group: t("How often"), options: HOW.map(([value, text]) => [value, t(text)]) }];
  if (totals.length) groups.push({ group: t("How much"), options: totals.map((name) => [`total:${name}`, t(TOTALS[name])]) });
  if (picks.length) groups.push({ group: t("Which"), options: [["pick:first", t("and the first one ever was")], ["pick:last", t("and the latest one was")]] });
  const chosen = how(data);
  if (chosen === "other") groups.push({ group: t("Other"), options: [["other", t("as in the JSON")]] });
  return [h("span", { class: "sb-phrase" },
    select({ options: groups, value: chosen, label: t("How often or how much"), key: `${scope.prefix}:how`, path: "count", act: (value) => value !== "other" && scope.edit("how", (leaf) => setHow(leaf, value), true) }),
    amountFields(data, scope),
  )];
}

export const when = (data, scope) => (data.per ? [h("span", { class: "sb-note" }, t("in each of several periods, as in the JSON"))] : windowOf(data, scope.prefix, scope.edit));
