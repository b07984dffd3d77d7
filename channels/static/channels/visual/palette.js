/* Blocks to put in: pressed, or dragged onto the canvas. */

import { h, icon } from "../../contacts/builder/dom.js";
import { defined } from "./canvas.js";
import { insert } from "./places.js";

export function draw(editor, place, blocks) {
  const groups = new Map();
  for (const block of blocks) groups.set(block.group, [...(groups.get(block.group) || []), block]);
  for (const [name, members] of groups) {
    place.append(h("h3", {}, name), h("ul", {}, members.map((block) => h("li", {}, button(editor, block)))));
  }
}

function button(editor, block) {
  const known = editor.Blocks.add(block.slug, { label: block.name, content: defined(block.pieces, block.inside) });
  return h(
    "button",
    {
      type: "button", class: "vis-block", draggable: true, data: { block: block.slug },
      on: {
        click: () => insert(editor, block),
        dragstart: (event) => editor.Blocks.startDrag(known, event),
        dragend: () => editor.Blocks.endDrag(),
      },
    },
    icon(block.icon),
    block.name,
  );
}
