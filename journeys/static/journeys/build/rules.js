/* Rules and filters of events inside the panel, edited with the parts of the segment builder. */

import { combobox, matching } from "../../contacts/builder/combobox.js";
import { button, h, t } from "../../contacts/builder/dom.js";
import { Editor } from "../../contacts/builder/editor.js";
import * as happening from "../../contacts/builder/happening.js";
import { isLength, length } from "../../contacts/builder/lengths.js";

const stored = (area) => {
  try {
    return JSON.parse(area.value || "null");
  } catch {
    return null;
  }
};
const tell = (area) => area.dispatchEvent(new Event("input", { bubbles: true }));

/** A rule: every condition there is. Returns what marks its faults. */
export function rule(place, area, facts, travel) {
  const canvas = h("div", { class: "sb-canvas", tabindex: "-1", role: "group", "aria-label": place.dataset.label });
  place.replaceChildren(canvas);
  const editor = new Editor({
    place,
    canvas,
    facts,
    rule: stored(area) || {},
    travel,
    changed: (now) => {
      area.value = Object.keys(now).length ? JSON.stringify(now) : "";
      tell(area);
    },
  });
  return (faults) => editor.mark(faults);
}

/** Filters by property of the event that is named beside them. */
export function where(place, area, facts, event) {
  const data = { where: stored(area) || undefined };
  const draw = () => {
    const key = document.activeElement?.dataset?.key;
    const scope = {
      prefix: place.dataset.where,
      known: facts.known,
      edit(_name, act, redraw) {
        act(data);
        area.value = data.where ? JSON.stringify(data.where) : "";
        if (redraw) draw();
        tell(area);
      },
      properties: () => facts.properties(event()),
      typeOf: (name) => facts.typeOf(event(), name),
      values: (name, q) => (name?.length ? facts.values({ event: event(), property: name, q }) : []),
    };
    const more = button({ text: t("Filter by property"), sign: "filter_alt", style: "is-quiet", key: `${scope.prefix}:add`, act: () => happening.addTest(data, scope) });
    place.replaceChildren(...happening.whereLines(data, scope), more);
    if (key) place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  };
  facts.properties(event()).then(draw);
}

const LISTS = {
  event: (facts) => facts.words.events.map((each) => ({ value: each.name, text: each.name, group: each.own ? t("What Segue noted") : t("What they did") })),
  attribute: (facts) => facts.words.attributes.map((each) => ({ value: each.name, text: each.name })),
  prediction: (facts) => facts.words.predictions.map((each) => ({ value: each.name, text: each.name })),
};

/** A text field becomes one with a list of what was seen. */
export function suggesting(field, facts, event) {
  const kind = field.dataset.input;
  if (kind === "span") return spanning(field);
  const listed = kind === "property" ? async () => (await facts.properties(event())).map((each) => ({ value: [each.name].flat().join("."), text: [each.name].flat().join("."), note: happening.note(each) })) : LISTS[kind] && (() => LISTS[kind](facts));
  if (!listed) return undefined;
  const put = (value) => {
    field.value = value;
    tell(field);
  };
  const box = combobox({
    label: field.getAttribute("aria-label") || field.labels?.[0]?.textContent.replace("*", "").trim() || "",
    key: `${field.name}:box`,
    path: field.dataset.path || "",
    value: field.value,
    free: true,
    load: async (text) => matching(await listed(), text === field.value ? "" : text),
    take: (choice) => put(String(choice.value)),
    typed: put,
  });
  const shown = box.querySelector("input");
  field.hidden = true;
  if (field.id) {
    shown.id = field.id;
    field.removeAttribute("id");
  }
  field.after(box);
  return undefined;
}

/** A length of time: a number and a unit. What is written in another way stays a text. */
function spanning(field) {
  if (field.value && !isLength(field.value)) return;
  const label = field.labels?.[0]?.textContent.replace("*", "").trim() || "";
  const pair = length({
    value: field.value,
    label,
    key: `${field.name}:span`,
    path: field.dataset.path,
    units: ["minute", "hour", "day", "week"],
    put: (value) => {
      field.value = /^\d/.test(value) ? value : "";
      tell(field);
    },
  });
  const number = pair.querySelector("input");
  field.hidden = true;
  if (field.id) {
    number.id = field.id;
    field.removeAttribute("id");
  }
  field.after(pair);
}
