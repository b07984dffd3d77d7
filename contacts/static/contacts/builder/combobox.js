/* A field with a list to choose from, after the ARIA pattern: arrows move, Enter takes, Escape closes.
 *
 * `load(text)` gives the choices, at once or as a promise: {value, text, note, group, search}.
 * With `free`, what was typed may be taken as it is.
 */

import { h, icon, t } from "./dom.js";

let count = 0;
const MOST_SHOWN = 80;

export function combobox({ label, key, path, value = "", placeholder = "", free = false, load, take, typed, style = "" }) {
  const id = `sb-list-${(count += 1)}`;
  const list = h("div", { id, class: "sb-list", role: "listbox", "aria-label": label, hidden: true });
  const field = h("input", {
    type: "text",
    class: `sb-input ${style}`,
    role: "combobox",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": id,
    placeholder,
    autocomplete: "off",
    spellcheck: "false",
    data: { key, path: path || "" },
  });
  field.value = value;
  let shown = [];
  let active = -1;
  let asked = 0;
  let stood = value;

  const close = () => {
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    active = -1;
  };
  const point = (index) => {
    list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.querySelectorAll("[role=option]")[index];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return field.setAttribute("aria-activedescendant", option.id);
  };
  const choose = (choice) => {
    field.value = stood = String(choice.text ?? choice.value);
    close();
    take(choice);
  };
  const draw = (choices) => {
    shown = choices.slice(0, MOST_SHOWN);
    list.replaceChildren(...options(shown, id, choose));
    if (!shown.length) list.append(h("p", { class: "sb-list-none" }, free ? t("Nothing like it was seen. What you typed is taken as it is.") : t("Nothing found.")));
    active = -1;
    field.removeAttribute("aria-activedescendant");
    if (!free && shown.length) point(0);
  };
  const open = async (text) => {
    const mine = (asked += 1);
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
    const choices = await load(text);
    if (mine === asked && !list.hidden) draw(choices);
  };
  field.addEventListener("input", () => {
    typed?.(field.value);
    open(field.value);
  });
  field.addEventListener("focus", () => field.select());
  field.addEventListener("click", () => list.hidden && open(free ? "" : ""));
  field.addEventListener("blur", () => {
    close();
    asked += 1;
    if (!free) field.value = stood;
  });
  list.addEventListener("mousedown", (event) => event.preventDefault());
  field.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return open("");
      const by = event.key === "ArrowDown" ? 1 : -1;
      if (shown.length) point((active + by + shown.length) % shown.length);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (!list.hidden && active >= 0) choose(shown[active]);
      else if (free) {
        close();
        take({ value: field.value, text: field.value, typed: true });
      } else open(field.value);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      field.value = free ? field.value : stood;
      close();
    }
    return undefined;
  });
  return h("span", { class: "sb-combobox" }, field, list);
}

function* options(shown, id, choose) {
  let group = null;
  for (const [index, choice] of shown.entries()) {
    if (choice.group && choice.group !== group) {
      group = choice.group;
      yield h("div", { class: "sb-list-group", role: "presentation" }, group);
    }
    yield h(
      "div",
      { class: "sb-option", role: "option", id: `${id}-${index}`, "aria-selected": "false", on: { click: () => choose(choice) } },
      choice.sign ? icon(choice.sign) : null,
      h("span", { class: "sb-option-text" }, String(choice.text ?? choice.value)),
      choice.note ? h("span", { class: "sb-option-note" }, choice.note) : null,
    );
  }
}

/** Choices whose text has every word of what was typed; those that begin with it come first. */
export function matching(choices, text) {
  const parts = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (!parts.length) return choices;
  const found = choices.filter((choice) => {
    const all = `${choice.text ?? choice.value} ${choice.search || ""} ${choice.group || ""}`.toLowerCase();
    return parts.every((part) => all.includes(part));
  });
  const first = (choice) => (String(choice.text ?? choice.value).toLowerCase().startsWith(parts[0]) ? 0 : 1);
  const groups = [...new Set(found.map((choice) => choice.group))];
  return found.sort((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group) || first(a) - first(b));
}
