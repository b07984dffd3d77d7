/* By mouse: a kind of step or a step onto a plus, the end of a way onto a step. */

export function listen(root, canvas, act) {
  let held = null;

  const places = () => canvas.places(held?.step || null);
  const clear = () => {
    root.classList.remove("is-dragging", "is-connecting");
    canvas.sheet.querySelectorAll(".is-over, .is-dragged, .is-free").forEach((each) => each.classList.remove("is-over", "is-dragged", "is-free"));
  };
  const target = (event) => {
    if (!held) return null;
    if (held.edge) return event.target.closest?.(".jb-node:not(.is-start)");
    const place = event.target.closest?.(".jb-place")?.querySelector("[data-place]");
    return place && places().includes(place) ? place : null;
  };

  root.addEventListener("dragstart", (event) => {
    const from = event.target.closest?.("[data-kind], [data-edge], .jb-node[draggable=true]");
    if (!from || event.target.closest("input, select, textarea")) return;
    if (from.dataset.kind) held = { kind: from.dataset.kind };
    else if (from.dataset.edge) held = { edge: JSON.parse(from.dataset.edge)[0] };
    else held = { step: from.dataset.step };
    event.dataTransfer.effectAllowed = "copyMove";
    event.dataTransfer.setData("text/plain", from.dataset.kind || from.dataset.step || "way");
    from.classList.add("is-dragged");
    // Later, so that the picture of what is dragged is not that of the places.
    window.setTimeout(() => {
      if (!held) return;
      root.classList.add(held.edge ? "is-connecting" : "is-dragging");
      if (!held.edge) places().forEach((each) => each.closest(".jb-place").classList.add("is-free"));
    }, 0);
  });
  root.addEventListener("dragover", (event) => {
    const over = target(event);
    canvas.sheet.querySelectorAll(".is-over").forEach((each) => each !== over && each.classList.remove("is-over"));
    if (!over) return;
    event.preventDefault();
    over.classList.add("is-over");
  });
  root.addEventListener("drop", (event) => {
    const over = target(event);
    const what = held;
    held = null;
    clear();
    if (!over) return;
    event.preventDefault();
    if (what.kind) act.insert(what.kind, over);
    else if (what.edge) act.connect(what.edge, over.dataset.step);
    else act.move(what.step, over);
  });
  root.addEventListener("dragend", () => {
    held = null;
    clear();
  });
  pan(canvas.place);
}

/** The empty ground is drawn by itself. */
function pan(place) {
  let from = null;
  place.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "mouse" || event.button !== 0 || event.target.closest("button, a, .jb-node, summary, [draggable=true]")) return;
    from = { x: event.clientX + place.scrollLeft, y: event.clientY + place.scrollTop };
    place.setPointerCapture(event.pointerId);
    place.classList.add("is-panned");
  });
  place.addEventListener("pointermove", (event) => from && place.scrollTo(from.x - event.clientX, from.y - event.clientY));
  for (const end of ["pointerup", "pointercancel"]) {
    place.addEventListener(end, () => {
      from = null;
      place.classList.remove("is-panned");
    });
  }
}
