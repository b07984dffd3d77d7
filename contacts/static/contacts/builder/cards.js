/* Groups and conditions as people see them, each with its buttons, its place among the others and its faults. */

import { fields, nameOf, picker, signOf } from "./conditions.js";
import { button, h, icon, select, t } from "./dom.js";

const MODES = [
  ["all", "All of these hold"],
  ["any", "At least one of these holds"],
  ["none", "None of these holds"],
  ["notall", "Not all of these hold"],
];
const JOINS = { all: "and", any: "or", none: "nor", notall: "and" };

/** The whole tree. `act(command, id, more)` does what buttons ask for. */
export function tree(root, { store, facts, act, adding }) {
  const scope = { store, facts, act, adding };
  if (!root.parts.length && adding !== root.id) return empty(root, scope);
  return group(root, scope, { root: true, first: true, last: true, depth: 0 });
}

function empty(root, { act }) {
  return h(
    "div",
    { class: "sb-empty", data: { node: root.id }, tabindex: "-1" },
    icon("group_add"),
    h("strong", {}, t("Everyone is in it so far")),
    h("p", {}, t("Add a condition to choose people by what they did, who they are and what they allow.")),
    button({ text: t("Add condition"), sign: "add", style: "is-primary", key: `${root.id}:add`, act: () => act("add", root.id) }),
  );
}

function group(node, scope, at) {
  const { act, adding } = scope;
  const parts = node.parts.flatMap((part, index) => {
    const place = { first: index === 0, last: index === node.parts.length - 1, depth: at.depth + 1 };
    const drawn = part.kind === "group" ? group(part, scope, place) : leaf(part, scope, place);
    return [h("li", { class: "sb-item", data: { join: index ? t(JOINS[node.mode]) : "" } }, drawn)];
  });
  const mode = select({
    options: MODES.map(([value, text]) => [value, t(text)]),
    value: node.mode,
    label: t("How these are joined"),
    key: `${node.id}:mode`,
    act: (chosen) => act("mode", node.id, chosen),
  });
  return h(
    "section",
    { class: `sb-group is-${node.mode} ${at.root ? "is-root" : ""}`, "aria-label": at.root ? t("The rule") : t("Group"), tabindex: "-1", data: { node: node.id, depth: at.depth % 3 } },
    h("div", { class: "sb-group-head" }, at.root ? null : handle(node), mode, at.root ? null : tools(node, scope, at)),
    h("ol", { class: "sb-items", data: { group: node.id } }, parts),
    fault(node),
    adding === node.id
      ? h("div", { class: "sb-adding" }, picker({ facts: scope.facts, key: `${node.id}:picker`, take: (made) => act("insert", node.id, made) }), button({ text: t("Cancel"), style: "is-quiet", key: `${node.id}:cancel`, act: () => act("cancel", node.id) }))
      : h(
          "div",
          { class: "sb-group-foot" },
          button({ text: t("Add condition"), sign: "add", key: `${node.id}:add`, style: "is-quiet is-strong", act: () => act("add", node.id) }),
          button({ text: t("Add group"), sign: "create_new_folder", key: `${node.id}:add-group`, style: "is-quiet", act: () => act("add-group", node.id) }),
        ),
  );
}

function leaf(node, scope, at) {
  const name = nameOf(node);
  return h(
    "article",
    { class: `sb-leaf ${node.not ? "is-not" : ""}`, "aria-label": node.not ? t("Not: {name}", { name }) : name, tabindex: "-1", data: { node: node.id } },
    handle(node),
    h(
      "div",
      { class: "sb-leaf-main" },
      node.not ? h("span", { class: "sb-not" }, t("Not")) : null,
      h("span", { class: "sb-sign" }, icon(signOf(node.data))),
      h("div", { class: "sb-lines" }, fields(node, scope.store, scope.facts), fault(node)),
    ),
    tools(node, scope, at),
  );
}

const fault = (node) => h("p", { class: "sb-fault", id: `sb-fault-${node.id}`, data: { fault: node.id }, hidden: true });

function handle(node) {
  return h("span", { class: "sb-handle", draggable: true, "aria-hidden": "true", title: t("Drag to move"), data: { drag: node.id } }, icon("drag_indicator"));
}

function tools(node, { act }, at) {
  const name = nameOf(node);
  const tool = (command, sign, label, more = {}) => button({ label, sign, key: `${node.id}:${command}`, act: () => act(command, node.id), ...more });
  const entry = (command, sign, label, keys) =>
    h("button", { type: "button", role: "menuitem", tabindex: "-1", data: { command }, on: { click: () => act(command, node.id) } }, icon(sign), h("span", {}, label), h("kbd", {}, keys || ""));
  const menu = h(
    "div",
    { class: "sb-menu", role: "menu", hidden: true, "aria-label": t("More for {name}", { name }) },
    entry("negate", "block", node.kind === "group" ? t("Turn into its opposite") : node.not ? t("Include again") : t("Exclude (not)"), "Alt N"),
    entry("wrap", "data_object", t("Wrap in a group"), "Alt G"),
    node.kind === "group" ? entry("unwrap", "splitscreen", t("Dissolve the group")) : null,
    at.depth > 1 ? entry("outward", "format_indent_decrease", t("Move out of the group"), "Alt ←") : null,
    entry("inward", "format_indent_increase", t("Move into the group beside it"), "Alt →"),
    entry("duplicate", "content_copy", t("Duplicate"), "Alt D"),
    entry("remove", "delete", t("Remove"), "Alt ⌫"),
  );
  const opener = h(
    "button",
    { type: "button", class: "sb-button is-icon", "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": t("More for {name}", { name }), title: t("More"), data: { key: `${node.id}:menu`, menu: "" } },
    icon("more_vert"),
  );
  return h(
    "div",
    { class: "sb-tools" },
    h("span", { class: "sb-count", hidden: true, data: { count: node.id } }),
    tool("up", "arrow_upward", t("Move {name} up", { name }), { disabled: at.first }),
    tool("down", "arrow_downward", t("Move {name} down", { name }), { disabled: at.last }),
    tool("remove", "delete", t("Remove {name}", { name })),
    h("span", { class: "sb-menu-place" }, opener, menu),
  );
}

/** Show faults where they belong: {id: [{inside, message}]}. What nobody filled in yet is said mildly. */
export function showFaults(canvas, found) {
  canvas.querySelectorAll("[aria-invalid]").forEach((field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  });
  canvas.querySelectorAll("[data-fault]").forEach((line) => {
    const faults = found.get(line.dataset.fault) || [];
    line.hidden = !faults.length;
    const card = canvas.querySelector(`[data-node="${line.dataset.fault}"]`);
    const hollow = card?.matches(".sb-group") && !card.querySelector(".sb-item");
    let open = faults.length > 0;
    for (const { inside } of faults) {
      const field = card && nearest(card, inside, line.dataset.fault);
      if (!field) {
        open = open && Boolean(hollow);
        continue;
      }
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", line.id);
      if (field.value) open = false;
    }
    line.classList.toggle("is-open", open);
    line.replaceChildren(open ? t("Still to be filled in.") : faults.map((each) => each.message).join(" · "));
  });
}

function nearest(card, inside, id) {
  const own = [...card.querySelectorAll("[data-path]")].filter((field) => field.dataset.path && field.dataset.key?.startsWith(`${id}:`));
  const fits = own.filter((field) => inside === field.dataset.path || inside.startsWith(`${field.dataset.path}`) || field.dataset.path.startsWith(inside));
  return fits.sort((a, b) => Math.abs(a.dataset.path.length - inside.length) - Math.abs(b.dataset.path.length - inside.length))[0];
}
