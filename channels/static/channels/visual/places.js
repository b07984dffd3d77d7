/* Where blocks are put and moved: by a press and by the keyboard, as by dragging. */

import { announce, t } from "../../contacts/builder/dom.js";
import { bodyOf, defined, takes } from "./canvas.js";
import { nameOf } from "./names.js";

const SECTION = { tag: "mj-section", attributes: { padding: "20px 32px", "background-color": "#ffffff" }, content: "", source: "", look: "" };
const COLUMN = { tag: "mj-column", attributes: {}, content: "", source: "", look: "" };

/** Put a block of the palette behind what is chosen, or at the end. */
export function insert(editor, block) {
  const chosen = editor.getSelected();
  const place = block.inside === "mj-column" ? columnPlace(editor, chosen) : bodyPlace(editor, chosen);
  const wrapped = block.inside === "mj-column" && !place.inColumn;
  const pieces = wrapped ? [{ ...SECTION, children: [{ ...COLUMN, children: block.pieces }] }] : block.pieces;
  const added = place.parent.append(defined(pieces, place.parent.get("type")), { at: place.at });
  // The last of it: what is put in next stands behind all of it, not within its condition.
  const shown = wrapped ? added[0].components().at(0).components().at(0) : added[added.length - 1];
  editor.select(shown);
  editor.Canvas.scrollTo(shown, { block: "nearest" });
  announce(t("{name} added", { name: block.name }));
}

function bodyPlace(editor, chosen) {
  const body = bodyOf(editor);
  let top = chosen;
  while (top && top.parent() && top.parent() !== body) top = top.parent();
  return { parent: body, at: top && top.parent() === body ? top.index() + 1 : body.components().length };
}

function columnPlace(editor, chosen) {
  for (let each = chosen; each && each !== bodyOf(editor); each = each.parent()) {
    const parent = each.parent();
    if (parent && takes(parent.get("type"), "mj-text")) return { parent, at: each.index() + 1, inColumn: true };
    if (takes(each.get("type"), "mj-text")) return { parent: each, at: each.components().length, inColumn: true };
    const column = each.findType("mj-column")[0];
    if (column) return { parent: column, at: column.components().length, inColumn: true };
  }
  return { ...bodyPlace(editor, chosen), inColumn: false };
}

/** One place up (-1) or down (1): past its neighbour, else into the next that takes it. */
export function shift(editor, component, by) {
  const parent = component.parent();
  const at = component.index() + by;
  const name = nameOf(component);
  if (at >= 0 && at < parent.components().length) {
    component.move(parent, { at: by > 0 ? at + 1 : at });
  } else {
    const holders = [bodyOf(editor), ...bodyOf(editor).find("*")].filter((each) => takes(each.get("type"), component.get("type")));
    const next = holders[holders.indexOf(parent) + by];
    if (!next) return announce(t("That is not possible here"));
    component.move(next, { at: by > 0 ? 0 : next.components().length });
  }
  editor.select(component);
  return announce(t("{name} moved", { name }));
}

export function copy(editor, component) {
  const [made] = [component.parent().append(component.clone(), { at: component.index() + 1 })].flat();
  editor.select(made);
  announce(t("{name} added", { name: nameOf(made) }));
}

export function remove(editor, component) {
  const name = nameOf(component);
  const next = component.parent().components().at(component.index() + 1) || component.parent();
  component.remove();
  editor.select(next);
  announce(t("{name} deleted", { name }));
}
