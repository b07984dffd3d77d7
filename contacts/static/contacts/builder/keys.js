/* The keyboard: what each key does to the condition or group in which the focus stands, and menus. */

const KEYS = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "outward",
  ArrowRight: "inward",
  d: "duplicate",
  g: "wrap",
  n: "negate",
  a: "add",
  Backspace: "remove",
  Delete: "remove",
};

/** Alt with a key acts on the node that holds the focus; Ctrl+Z and Ctrl+Y (or Shift+Ctrl+Z) travel. */
export function listen(root, { act, undo, redo }) {
  root.addEventListener("keydown", (event) => {
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && !event.altKey && (name === "z" || name === "y")) {
      event.preventDefault();
      if (name === "y" || event.shiftKey) redo();
      else undo();
      return;
    }
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    // Where Alt types a sign, the key's own letter counts.
    const command = KEYS[name] || KEYS[event.code.replace(/^Key/, "").toLowerCase()];
    const card = event.target.closest("[data-node]");
    if (!command || !card) return;
    event.preventDefault();
    const group = command === "add" ? event.target.closest(".sb-group") : null;
    act(command, group ? group.dataset.node : card.dataset.node);
  });
  menus(root);
}

function menus(root) {
  const close = (back) => {
    for (const opener of root.querySelectorAll("[data-menu][aria-expanded=true]")) {
      opener.setAttribute("aria-expanded", "false");
      opener.nextElementSibling.hidden = true;
      if (back) opener.focus();
    }
  };
  const open = (opener) => {
    close(false);
    opener.setAttribute("aria-expanded", "true");
    opener.nextElementSibling.hidden = false;
    opener.nextElementSibling.querySelector("[role=menuitem]").focus();
  };
  root.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-menu]");
    if (!opener) return close(false);
    return opener.getAttribute("aria-expanded") === "true" ? close(true) : open(opener);
  });
  document.addEventListener("click", (event) => {
    if (!root.contains(event.target)) close(false);
  });
  root.addEventListener("keydown", (event) => {
    const menu = event.target.closest("[role=menu]");
    if (event.key === "ArrowDown" && event.target.matches("[data-menu]")) {
      event.preventDefault();
      open(event.target);
      return;
    }
    if (!menu) return;
    const entries = [...menu.querySelectorAll("[role=menuitem]")];
    const index = entries.indexOf(document.activeElement);
    const go = { ArrowDown: index + 1, ArrowUp: index - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (go !== undefined && !event.altKey) {
      event.preventDefault();
      entries[go % entries.length].focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(true);
    } else if (event.key === "Tab") close(true);
  });
}
