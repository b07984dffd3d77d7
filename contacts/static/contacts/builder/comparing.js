/* Operators and values: what a value can be compared with, by its type, and the fields for it. */

import { combobox } from "./combobox.js";
import { button, h, input, select, t } from "./dom.js";
import { date, isLength, length, split } from "./lengths.js";

const LABELS = {
  is: "is",
  is_not: "is not",
  in: "is one of",
  not_in: "is none of",
  contains: "contains",
  not_contains: "does not contain",
  starts_with: "starts with",
  ends_with: "ends with",
  has_any: "has any of",
  has_all: "has all of",
  has_none: "has none of",
  gt: "is more than",
  gte: "is at least",
  lt: "is less than",
  lte: "is at most",
  between: "is between",
  exists: "is known",
  missing: "is not known",
};
const BY_TYPE = {
  text: ["is", "is_not", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with", "exists", "missing"],
  number: ["is", "is_not", "gte", "lte", "gt", "lt", "between", "in", "exists", "missing"],
  flag: ["is", "exists", "missing"],
  list: ["contains", "not_contains", "has_any", "has_all", "has_none", "exists", "missing"],
};
const MANY = ["in", "not_in", "has_any", "has_all", "has_none"];
const NONE = ["exists", "missing"];

/* Of a date one asks in ways that are an operator and the form of its value. */
const DATES = [
  ["last", "is in the last", "within", "30 days"],
  ["next", "is in the next", "within", "in 7 days"],
  ["ago", "is longer ago than", "before", "90 days"],
  ["since", "is more recent than", "after", "30 days"],
  ["before", "is before", "before", ""],
  ["after", "is after", "after", ""],
  ["on", "is on", "on", ""],
  ["today", "is today", "on", "today"],
  ["day", "is exactly … days ahead", "on", "in 7 days"],
  ["birthday", "has its anniversary today", "anniversary_on", "today"],
  ["birthday-in", "has its anniversary in exactly", "anniversary_on", "in 7 days"],
  ["birthday-next", "has its anniversary in the next", "anniversary_within", "in 7 days"],
];

function dateWay(data) {
  const ahead = split(data.value).ahead;
  if (data.op === "within_days") return "last";
  if (data.op === "within") return ahead ? "next" : "last";
  if (data.op === "before") return isLength(data.value) && !ahead ? "ago" : "before";
  if (data.op === "after") return isLength(data.value) && !ahead ? "since" : "after";
  if (data.op === "on") return data.value === "today" ? "today" : isLength(data.value) ? "day" : "on";
  if (data.op === "anniversary_on") return data.value === "today" ? "birthday" : "birthday-in";
  if (data.op === "anniversary_within") return "birthday-next";
  return data.op;
}

/** The type to show: what was seen, unless the operator that is there says another. */
export function typeFor(seen, op) {
  if (["before", "after", "within", "within_days", "on", "anniversary_on", "anniversary_within"].includes(op)) return "date";
  if (["gt", "gte", "lt", "lte", "between"].includes(op)) return "number";
  if (["contains", "starts_with", "ends_with", "not_contains"].includes(op) && seen !== "list") return "text";
  return seen || "text";
}

/** What a new comparison starts with. */
export function starting(type) {
  if (type === "number") return { op: "gte", value: "" };
  if (type === "flag") return { op: "is", value: true };
  if (type === "date") return { op: "within", value: "30 days" };
  if (type === "list") return { op: "contains", value: "" };
  return { op: "is" };
}

/** A choice of operators and the field for its value.
 *
 * data: {op, value}; `edit(key, act, redraw)` changes it; `values(text)` suggests; `known` operators only.
 */
export function comparison({ data, type, prefix, path, edit, values, known }) {
  return type === "date" ? dated({ data, prefix, path, edit, known }) : plain({ data, type, prefix, path, edit, values, known });
}

function plain({ data, type, prefix, path, edit, values, known }) {
  const allowed = new Set(BY_TYPE[type] || BY_TYPE.text);
  const op = data.op || "is";
  allowed.add(op);
  const chooser = select({
    options: [...allowed].filter((each) => known.has(each) || each === op).map((each) => [each, t(LABELS[each] || each)]),
    value: op,
    label: t("Comparison"),
    key: `${prefix}:op`,
    path: `${path}op`,
    act: (chosen) => edit("op", (given) => reshape(given, chosen), true),
  });
  return [chooser, ...valueFields({ data: { ...data, op }, type, prefix, path, edit, values })];
}

function reshape(given, op) {
  const before = given.value;
  given.op = op;
  const single = Array.isArray(before) ? (before[0] ?? "") : (before ?? "");
  if (NONE.includes(op)) delete given.value;
  else if (op === "between") given.value = ["", ""];
  else if (MANY.includes(op)) given.value = Array.isArray(before) ? before : single === "" ? [] : [single];
  else if (single === "") delete given.value;
  else given.value = single;
}

function valueFields({ data, type, prefix, path, edit, values }) {
  const place = `${path}value`;
  const put = (value) => edit("value", (given) => (value === "" ? delete given.value : (given.value = value)));
  if (NONE.includes(data.op)) return [];
  if (data.op === "between") {
    const pair = Array.isArray(data.value) ? data.value : ["", ""];
    const side = (index, label) =>
      input({ type: "number", step: "any", size: "number", value: pair[index], label, key: `${prefix}:value${index}`, path: `${place}[${index}]`, act: (typed) => edit(`value${index}`, (given) => (given.value = given.value.map((old, at) => (at === index ? numeric(typed) : old)))) });
    return [side(0, t("From")), h("span", { class: "sb-word" }, t("and")), side(1, t("to"))];
  }
  if (MANY.includes(data.op)) return [many({ data, type, prefix, place, edit, values })];
  if (type === "flag") {
    const options = [["true", t("yes")], ["false", t("no")]];
    return [select({ options, value: data.value, label: t("Value"), key: `${prefix}:value`, path: place, act: (chosen) => put(chosen === "true") })];
  }
  if (type === "number") return [input({ type: "number", step: "any", size: "number", value: data.value, label: t("Value"), key: `${prefix}:value`, path: place, act: (typed) => put(numeric(typed)) })];
  return [
    combobox({
      label: t("Value"),
      key: `${prefix}:value`,
      path: place,
      value: data.value,
      placeholder: t("value"),
      free: true,
      load: values,
      take: (choice) => put(choice.value),
      typed: put,
    }),
  ];
}

const numeric = (typed) => (typed === "" || Number.isNaN(Number(typed)) ? "" : Number(typed));

function many({ data, type, prefix, place, edit, values }) {
  const chosen = Array.isArray(data.value) ? data.value : [];
  const change = (act) => edit("value", (given) => (given.value = act(Array.isArray(given.value) ? given.value : [])), true);
  const fit = (text) => (type === "number" ? numeric(text) : text);
  const chips = chosen.map((value, index) =>
    h(
      "span",
      { class: "sb-chip" },
      String(value),
      button({ label: t("Remove {value}", { value }), sign: "close", key: `${prefix}:chip${index}`, act: () => change((all) => all.filter((_each, at) => at !== index)) }),
    ),
  );
  const field = combobox({
    label: t("Add a value"),
    key: `${prefix}:value`,
    path: place,
    placeholder: chosen.length ? t("and …") : t("values"),
    free: true,
    load: async (text) => (await values(text)).filter((choice) => !chosen.includes(choice.value)),
    take: (choice) => {
      const parts = choice.typed ? String(choice.value).split(/[,;\n]/).map((part) => part.trim()).filter(Boolean).map(fit) : [choice.value];
      if (parts.length) change((all) => [...new Set([...all, ...parts])]);
    },
  });
  return h("span", { class: "sb-many" }, chips, field);
}

function dated({ data, prefix, path, edit, known }) {
  const way = dateWay(data);
  const ways = DATES.filter((each) => known.has(each[2]) || each[0] === way || (each[0] === "last" && known.has("within_days")));
  const put = (value) => edit("value", (given) => (given.value = value));
  const chooser = select({
    options: [...ways.map(([name, text]) => [name, t(text)]), ...NONE.map((op) => [op, t(LABELS[op])])],
    value: way,
    label: t("Comparison"),
    key: `${prefix}:op`,
    path: `${path}op`,
    act: (chosen) =>
      edit(
        "op",
        (given) => {
          const [, , op, value] = DATES.find((each) => each[0] === chosen) || [null, null, chosen, undefined];
          given.op = op === "within" && !known.has("within") ? "within_days" : op;
          if (value === undefined) delete given.value;
          else given.value = given.op === "within_days" ? 30 : value;
        },
        true,
      ),
  });
  const shared = { label: t("Value"), key: `${prefix}:value`, path: `${path}value`, put };
  if (data.op === "within_days") return [chooser, h("span", { class: "sb-pair" }, input({ type: "number", min: "1", size: "small", value: data.value, act: (typed) => put(numeric(typed)), ...shared }), h("span", { class: "sb-word" }, t("days")))];
  if (["today", "birthday", ...NONE].includes(way)) return [chooser];
  if (["before", "after", "on"].includes(way)) return [chooser, date({ value: data.value, ...shared })];
  const days = ["day", "birthday-in", "birthday-next"].includes(way);
  return [chooser, length({ value: data.value, ahead: days || way === "next", units: days ? ["day"] : undefined, ...shared })];
}
