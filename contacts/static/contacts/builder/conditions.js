/* The fields of one condition, by its kind. */

import { attributeName, channel, choices } from "./choices.js";
import { combobox, matching } from "./combobox.js";
import { comparison, starting, typeFor } from "./comparing.js";
import { button, h, select, t } from "./dom.js";
import * as happening from "./happening.js";
import { windowOf } from "./lengths.js";

const SIGNS = { attribute: "person", event: "bolt", message: "mail", consent: "verified_user", segment: "category", prediction: "insights", address: "alternate_email" };
const DONE = {
  attribute: ["attribute", "op", "value", "type"],
  event: ["event", "count", "sum", "avg", "min", "max", "where", "within", "after", "before", "pick", "then", "then_not"],
  message: ["message", "count", "channel", "journey", "template", "purpose", "within", "after", "before", "then", "then_not"],
  consent: ["consent", "state"],
  segment: ["segment", "member", "within", "after", "before"],
  prediction: ["prediction", "op", "value"],
  address: ["address", "reachable"],
};

export const kindOf = (data) => Object.keys(SIGNS).find((kind) => kind in data);
export const signOf = (data) => SIGNS[kindOf(data)] || "help";

/** A name for a condition, to announce it by. */
export function nameOf(node) {
  if (node.kind === "group") return t("group of {count}", { count: node.parts.length });
  const { data } = node;
  const what = { attribute: data.attribute && attributeName(data.attribute), event: data.event, message: data.message, segment: data.segment, prediction: data.prediction, address: data.address };
  if (data.consent) return `${t("consent")} ${data.consent.channel} ${data.consent.purpose}`;
  return what[kindOf(data)] || t("new condition");
}

/** Lines of fields for a leaf; `store` takes the changes. */
export function fields(node, store, facts) {
  const { data, id } = node;
  const edit = (key, act, redraw = false) => store.edit(id, key, (leaf) => act(leaf.data), { redraw });
  const scope = { prefix: id, edit, known: facts.known };
  const kind = kindOf(data);
  if (!kind) return [h("div", { class: "sb-line" }, picker({ id, facts, key: `${id}:pick`, take: (made) => store.edit(id, "kind", (leaf) => (leaf.data = made), { redraw: true }) }))];
  const lines = { attribute, event, message, consent, segment, prediction, address }[kind](data, scope, facts);
  const other = Object.keys(data).filter((name) => !DONE[kind].includes(name) && name !== "among");
  if (other.length) lines[0].append(h("span", { class: "sb-note" }, t("and {what}, as in the JSON", { what: other.join(", ") })));
  return lines;
}

/** The search over everything that can be asked; `take` gets the condition's data. */
export function picker({ facts, key, take }) {
  return combobox({
    label: t("What do you want to ask?"),
    key,
    placeholder: t("Search: an event, city, opened, consent, segment …"),
    style: "is-wide",
    load: (text) => matching(choices(facts.words), text),
    take: (choice) => take(choice.make()),
  });
}

const line = (...children) => h("div", { class: "sb-line" }, children);
const word = (text) => h("span", { class: "sb-word" }, text);

function attribute(data, scope, facts) {
  const names = facts.words.attributes.map((term) => ({ value: term.name, text: attributeName(term.name), note: happening.note(term), search: String(term.name) }));
  const type = typeFor(facts.attribute(data.attribute)?.type, data.op);
  const rename = (value) => scope.edit("attribute", (given) => {
    const before = facts.attribute(given.attribute)?.type;
    const now = facts.attribute(value)?.type || "text";
    given.attribute = value;
    if (before === now) return;
    delete given.value;
    Object.assign(given, starting(now));
  }, true);
  return [
    line(
      combobox({ label: t("Attribute"), key: `${scope.prefix}:attribute`, path: "attribute", value: attributeName(data.attribute), load: (text) => matching(names, text), take: (choice) => rename(choice.value), free: true }),
      comparison({ data, type, prefix: scope.prefix, path: "", edit: scope.edit, values: (q) => facts.values({ attribute: data.attribute, q }), known: scope.known }),
    ),
  ];
}

function eventScope(data, scope, facts) {
  return {
    ...scope,
    properties: () => facts.properties(data.event),
    typeOf: (name) => facts.typeOf(data.event, name),
    values: (name, q) => (name && name.length ? facts.values({ event: data.event, property: name, q }) : []),
    followers: (text) => followers(facts, text),
  };
}

function followers(facts, text) {
  const events = facts.words.events.map((each) => ({ value: each.name, text: each.name, group: each.own ? t("What Segue noted") : t("What they did") }));
  return matching(events, text);
}

function event(data, scope, facts) {
  const inner = eventScope(data, scope, facts);
  facts.properties(data.event);
  const rename = (value, redraw) => scope.edit("event", (given) => (given.event = value), redraw);
  const more = [];
  if (!data.where || Array.isArray(data.where) || data.where.any) more.push(button({ text: t("Filter by property"), sign: "filter_alt", style: "is-quiet", key: `${scope.prefix}:add-where`, act: () => happening.addTest(data, inner) }));
  if (!data.pick && !data.then_not) more.push(button({ text: t("What followed"), sign: "arrow_forward", style: "is-quiet", key: `${scope.prefix}:add-then`, act: () => happening.addFollow(data, inner) }));
  return [
    line(
      word(t("Did")),
      combobox({ label: t("Event"), key: `${scope.prefix}:event`, path: "event", value: data.event, free: true, load: (text) => followers(facts, text), take: (choice) => rename(choice.value, true), typed: (typed) => rename(typed, false) }),
      happening.amount(data, inner, facts.words),
      happening.when(data, inner),
    ),
    ...happening.whereLines(data, inner),
    ...happening.followLines(data, inner),
    h("div", { class: "sb-line is-inner is-more" }, more),
  ];
}

const FILTERS = { journey: "of the journey", template: "made from the template", purpose: "for the purpose" };

function message(data, scope, facts) {
  const { words } = facts;
  const set = (name) => (value) => scope.edit(name, (given) => (value ? (given[name] = value) : delete given[name]), true);
  const states = words.messages.map((state) => [state, t(happening.MESSAGE_WORDS[state] || state)]);
  const channels = [["", t("any message")], ...known(words.channels.map((slug) => [slug, channel(slug)]), data.channel)];
  const lists = { journey: words.journeys, template: words.templates, purpose: words.purposes };
  const chosen = Object.keys(FILTERS).filter((name) => name in data);
  const unused = Object.keys(FILTERS).filter((name) => !(name in data));
  const filter = (name) => h(
    "div",
    { class: "sb-line is-inner" },
    word(t(FILTERS[name])),
    select({ options: [["", t("choose …")], ...known(lists[name].map((each) => [each.slug, each.name]), data[name])], value: data[name], label: t(FILTERS[name]), key: `${scope.prefix}:${name}`, path: name, act: (value) => scope.edit(name, (given) => (given[name] = value), true) }),
    button({ label: t("Remove this filter"), sign: "close", key: `${scope.prefix}:${name}-remove`, act: () => set(name)("") }),
  );
  const adds = unused.map((name) => button({ text: t(`${name.charAt(0).toUpperCase()}${name.slice(1)}`), sign: "filter_alt", style: "is-quiet", key: `${scope.prefix}:add-${name}`, act: () => scope.edit(name, (given) => (given[name] = ""), true) }));
  return [
    line(
      select({ options: states, value: data.message, label: t("What happened to messages"), key: `${scope.prefix}:message`, path: "message", act: (value) => scope.edit("message", (given) => (given.message = value)) }),
      select({ options: channels, value: data.channel || "", label: t("Channel"), key: `${scope.prefix}:channel`, path: "channel", act: set("channel") }),
      happening.amount(data, scope, { totals: [], picks: [] }),
      happening.when(data, scope),
    ),
    ...chosen.map(filter),
    h("div", { class: "sb-line is-inner is-more" }, adds),
  ];
}

/** Options with the one that is there, even where nobody knows it any more. */
function known(options, value) {
  return !value || options.some(([each]) => each === value) ? options : [...options, [value, value]];
}

function consent(data, scope, facts) {
  const { words } = facts;
  const given = data.consent || {};
  const set = (name) => (value) => scope.edit(name, (leaf) => (leaf.consent = { ...leaf.consent, [name]: value }));
  const states = { allowed: "has allowed", refused: "has refused", unknown: "never said whether to allow", expired: "allowed, but too long ago:" };
  return [
    line(
      select({ options: words.consents.map((state) => [state, t(states[state] || state)]), value: data.state || "allowed", label: t("Answer"), key: `${scope.prefix}:state`, path: "state", act: (value) => scope.edit("state", (leaf) => (leaf.state = value)) }),
      select({ options: known(words.channels.map((slug) => [slug, channel(slug)]), given.channel), value: given.channel, label: t("Channel"), key: `${scope.prefix}:channel`, path: "consent.channel", act: set("channel") }),
      word(t("for")),
      select({ options: known(words.purposes.map((each) => [each.slug, each.name]), given.purpose), value: given.purpose, label: t("Purpose"), key: `${scope.prefix}:purpose`, path: "consent.purpose", act: set("purpose") }),
    ),
  ];
}

function segment(data, scope, facts) {
  const options = known(facts.words.segments.map((each) => [each.slug, each.name]), data.segment);
  return [
    line(
      select({ options: [["true", t("is in the segment")], ["false", t("is not in the segment")]], value: data.member ?? true, label: t("Is in it"), key: `${scope.prefix}:member`, path: "member", act: (value) => scope.edit("member", (leaf) => (leaf.member = value === "true")) }),
      select({ options, value: data.segment, label: t("Segment"), key: `${scope.prefix}:segment`, path: "segment", act: (value) => scope.edit("segment", (leaf) => (leaf.segment = value)) }),
      data.member !== false ? [word(t("and entered it")), windowOf(data, scope.prefix, scope.edit)] : [],
    ),
  ];
}

function prediction(data, scope, facts) {
  const found = facts.words.predictions.find((each) => each.name === data.prediction);
  const options = known(facts.words.predictions.map((each) => [each.name, each.name.replaceAll("_", " ")]), data.prediction);
  const text = typeof data.value === "string" && data.value !== "" ? "text" : found && found.most === null ? "text" : "number";
  return [
    line(
      word(t("Predicted")),
      select({ options, value: data.prediction, label: t("Prediction"), key: `${scope.prefix}:prediction`, path: "prediction", act: (value) => scope.edit("prediction", (leaf) => (leaf.prediction = value), true) }),
      comparison({ data, type: text, prefix: scope.prefix, path: "", edit: scope.edit, values: () => (found?.labels || []).map((label) => ({ value: label, text: label })), known: scope.known }),
    ),
  ];
}

function address(data, scope, facts) {
  return [
    line(
      select({ options: [["true", t("can be reached by")], ["false", t("cannot be reached by")]], value: data.reachable ?? true, label: t("Can be reached"), key: `${scope.prefix}:reachable`, path: "reachable", act: (value) => scope.edit("reachable", (leaf) => (leaf.reachable = value === "true")) }),
      select({ options: known(facts.words.channels.map((slug) => [slug, channel(slug)]), data.address), value: data.address, label: t("Channel"), key: `${scope.prefix}:address`, path: "address", act: (value) => scope.edit("address", (leaf) => (leaf.address = value)) }),
    ),
  ];
}
