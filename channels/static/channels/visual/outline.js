/* The mail as a list: to choose, move, copy and delete blocks by keyboard. */

import { h, icon, t } from "../../contacts/builder/dom.js";
import { bodyOf } from "./canvas.js";
import { nameOf } from "./names.js";
import { copy, remove, shift } from "./places.js";

export function draw(editor, place) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : "";
  const body = bodyOf(editor);
  place.replaceChildren(h("ul", { class: "vis-outline" }, line(editor, body)));
  if (!body.components().length) place.append(h("p", { class: "segue-muted" }, t("Nothing in it yet: press a block on the left.")));
  if (focused) (place.querySelector(`[data-key="${focused}"]`) || place.querySelector(".is-chosen .vis-name"))?.focus();
}

function line(editor, component) {
  const name = nameOf(component);
  const chosen = editor.getSelected() === component;
  const key = component.cid;
  const act = (doing, sign, label, run) =>
    h("button", { type: "button", class: "vis-act", "aria-label": t(label, { name }), title: t(label, { name }), data: { key: `${key}-${doing}` }, on: { click: run } }, icon(sign));
  const own = component.get("type") === "mj-body";
  const children = component.get("components").models.filter((child) => child.get("type").startsWith("mj-") || child.get("type").startsWith("kept-"));
  const keys = (event) => {
    if (own || !(event.altKey || event.key === "Delete")) return;
    if (event.key === "ArrowUp") shift(editor, component, -1);
    else if (event.key === "ArrowDown") shift(editor, component, 1);
    else if (event.key === "Delete") remove(editor, component);
    else return;
    event.preventDefault();
  };
  return h(
    "li",
    {},
    h(
      "div",
      { class: `vis-line${chosen ? " is-chosen" : ""}` },
      h("button", {
        type: "button", class: "vis-name", title: name, "aria-pressed": String(chosen), data: { key },
        "aria-keyshortcuts": own ? null : "Alt+ArrowUp Alt+ArrowDown Delete",
        on: { click: () => { editor.select(component); editor.Canvas.scrollTo(component, { block: "nearest" }); }, keydown: keys },
      }, name),
      own ? null : [
        act("up", "arrow_upward", "Move {name} up", () => shift(editor, component, -1)),
        act("down", "arrow_downward", "Move {name} down", () => shift(editor, component, 1)),
        act("copy", "content_copy", "Copy {name}", () => copy(editor, component)),
        act("delete", "delete", "Delete {name}", () => remove(editor, component)),
      ],
    ),
    children.length ? h("ul", {}, children.map((child) => line(editor, child))) : null,
  );
}
