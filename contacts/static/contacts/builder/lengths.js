/* Lengths of time and windows: "30 days", "in 7 days", and which events count by when they happened. */

import { h, input, select, t } from "./dom.js";

const UNITS = ["minute", "hour", "day", "week", "month", "year"];
const NAMES = { minute: "minutes", hour: "hours", day: "days", week: "weeks", month: "months", year: "years" };
const WRITTEN = /^(in )?(\d+) ?(minute|hour|day|week|month|year)s?$/;

export function split(written) {
  const found = WRITTEN.exec(String(written ?? ""));
  return found ? { ahead: Boolean(found[1]), count: found[2], unit: found[3] } : { ahead: false, count: "", unit: "day" };
}

export const isLength = (written) => WRITTEN.test(String(written ?? ""));
export const isDate = (written) => /^\d{4}-\d{2}-\d{2}/.test(String(written ?? ""));

const joined = (count, unit, ahead) => `${ahead ? "in " : ""}${count} ${unit}${String(count) === "1" ? "" : "s"}`;

/** A number and a unit. `put` gets "30 days", with `ahead` "in 30 days". */
export function length({ value, label, key, path, put, units = UNITS, ahead = false }) {
  const now = split(value);
  const tell = () => put(joined(now.count, now.unit, ahead));
  return h(
    "span",
    { class: "sb-pair" },
    input({ type: "number", min: "1", value: now.count, size: "small", label, key, path, act: (typed) => ((now.count = typed), tell()) }),
    select({
      options: units.map((unit) => [unit, t(NAMES[unit])]),
      value: now.unit,
      label: t("Unit of time"),
      key: `${key}:unit`,
      act: (unit) => ((now.unit = unit), tell()),
    }),
  );
}

export function date({ value, label, key, path, put }) {
  return input({ type: "date", value: String(value ?? "").slice(0, 10), label, key, path, act: put });
}

/* ── Windows ── */

const WINDOWS = [
  ["any", "at any time"],
  ["within", "in the last"],
  ["before-length", "more than … ago"],
  ["both", "between … and … ago"],
  ["after", "on or after"],
  ["before", "before"],
  ["dates", "between dates"],
];
const OF_A_RUN = [
  ["since_entry", "since entering the journey"],
  ["since_step", "since coming to this step"],
];
let in_journey = false;

/** Offer the windows that only a run of a journey has. */
export function offerWindowsOfRuns() {
  in_journey = true;
}

function kind(data) {
  if (OF_A_RUN.some(([name]) => name === data.within)) return data.within;
  if (data.within && data.before) return "both";
  if (data.within) return "within";
  if (data.after && data.before) return "dates";
  if (data.after) return "after";
  if (data.before) return isDate(data.before) || data.before === "" ? "before" : "before-length";
  return data.after === "" ? "after" : "any";
}

const EMPTY = {
  any: {},
  within: { within: "30 days" },
  "before-length": { before: "30 days" },
  both: { within: "60 days", before: "14 days" },
  after: { after: "" },
  before: { before: "" },
  dates: { after: "", before: "" },
  since_entry: { within: "since_entry" },
  since_step: { within: "since_step" },
};

/** When the events happened that count. `edit(key, act, redraw)` changes the leaf's data. */
export function windowOf(data, prefix, edit) {
  const now = data.after === "" && data.before === "" ? "dates" : kind(data);
  const put = (name) => (value) => edit(name, (given) => (given[name] = value));
  const parts = {
    any: () => [],
    since_entry: () => [],
    since_step: () => [],
    within: () => [length({ value: data.within, label: t("In the last"), key: `${prefix}:within`, path: "within", put: put("within") })],
    "before-length": () => [
      length({ value: data.before, label: t("At least so long ago"), key: `${prefix}:before`, path: "before", put: put("before") }),
      h("span", { class: "sb-word" }, t("ago")),
    ],
    both: () => [
      length({ value: data.before, label: t("At least so long ago"), key: `${prefix}:before`, path: "before", put: put("before") }),
      h("span", { class: "sb-word" }, t("and")),
      length({ value: data.within, label: t("At most so long ago"), key: `${prefix}:within`, path: "within", put: put("within") }),
      h("span", { class: "sb-word" }, t("ago")),
    ],
    after: () => [date({ value: data.after, label: t("On or after"), key: `${prefix}:after`, path: "after", put: put("after") })],
    before: () => [date({ value: data.before, label: t("Before"), key: `${prefix}:before`, path: "before", put: put("before") })],
    dates: () => [
      date({ value: data.after, label: t("From"), key: `${prefix}:after`, path: "after", put: put("after") }),
      h("span", { class: "sb-word" }, t("and")),
      date({ value: data.before, label: t("Before"), key: `${prefix}:before`, path: "before", put: put("before") }),
    ],
  };
  const chooser = select({
    options: [...WINDOWS, ...(in_journey ? OF_A_RUN : [])].map(([value, text]) => [value, t(text)]),
    value: now,
    label: t("When"),
    key: `${prefix}:window`,
    act: (chosen) =>
      edit(
        "window",
        (given) => {
          for (const name of ["within", "after", "before"]) delete given[name];
          Object.assign(given, EMPTY[chosen]);
        },
        true,
      ),
  });
  return [h("span", { class: "sb-phrase" }, chooser, ...parts[now]())];
}
