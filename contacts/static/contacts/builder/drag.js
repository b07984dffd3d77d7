/* Moving by mouse: a card is drawn by its handle, and a line shows where it would land. */

export function listen(canvas, { drop }) {
  let dragged = null;
  let target = null;

  const clear = () => {
    canvas.querySelectorAll(".is-before, .is-after, .is-target").forEach((each) => each.classList.remove("is-before", "is-after", "is-target"));
    target = null;
  };

  canvas.addEventListener("dragstart", (event) => {
    const handle = event.target.closest?.("[data-drag]");
    if (!handle) return;
    dragged = handle.dataset.drag;
    const card = canvas.querySelector(`[data-node="${dragged}"]`);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged);
    event.dataTransfer.setDragImage(card, 12, 12);
    card.classList.add("is-dragged");
  });

  canvas.addEventListener("dragover", (event) => {
    if (!dragged) return;
    clear();
    const item = event.target.closest(".sb-item");
    const list = item ? item.parentElement : event.target.closest(".sb-group")?.querySelector(":scope > .sb-items");
    if (!list || list.closest(`[data-node="${dragged}"]`)) return;
    event.preventDefault();
    const items = [...list.children];
    if (!item) {
      list.classList.add("is-target");
      target = { group: list.dataset.group, index: items.length };
      return;
    }
    const box = item.getBoundingClientRect();
    const after = event.clientY > box.top + box.height / 2;
    item.classList.add(after ? "is-after" : "is-before");
    target = { group: list.dataset.group, index: items.indexOf(item) + (after ? 1 : 0) };
  });

  canvas.addEventListener("drop", (event) => {
    if (!dragged) return;
    event.preventDefault();
    const [id, where] = [dragged, target];
    dragged = null;
    clear();
    if (where) drop(id, where.group, where.index);
  });

  canvas.addEventListener("dragend", () => {
    canvas.querySelectorAll(".is-dragged").forEach((each) => each.classList.remove("is-dragged"));
    dragged = null;
    clear();
  });
}
