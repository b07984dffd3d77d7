/* The keyboard on the picture. Every act of the mouse has a key here or a line in the step's menu. */

const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"];

export function listen(root, { canvas, acts, travel, open, close, panel, help }) {
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.target.closest("dialog")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const typing = event.target.closest("input, textarea, select, .jb-rule");
    if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y") && (!typing || !panel.place.contains(typing) || event.target.closest(".jb-rule"))) {
      event.preventDefault();
      travel(key === "y" || event.shiftKey ? "redo" : "undo");
    } else if (event.key === "Escape") escape(event);
    else if (!typing && canvas.place.contains(event.target)) on_canvas(event, key);
  });

  function escape(event) {
    if (acts.moving) {
      event.preventDefault();
      canvas.go(acts.stop());
    } else if (panel.step !== null) {
      event.preventDefault();
      close();
    }
  }

  function on_canvas(event, key) {
    const step = event.target.closest(".jb-node")?.dataset.step;
    const command = event.ctrlKey || event.metaKey;
    const done = (act) => {
      event.preventDefault();
      act();
    };
    if (ARROWS.includes(key) && !command) {
      if (event.altKey && step && (key === "ArrowUp" || key === "ArrowDown")) return done(() => acts.shift(step, key === "ArrowUp" ? -1 : 1));
      if (event.altKey) return undefined;
      return done(() => canvas.step_by(key, acts.moving ? canvas.places(acts.moving) : null));
    }
    if (command && step !== undefined) {
      if (key === "c" && step && !String(window.getSelection())) return done(() => acts.copy(step));
      if (key === "x" && step) return done(() => acts.cut(step));
      if (key === "v") return done(() => acts.paste(canvas.below(step)));
      return undefined;
    }
    if (command || event.altKey) return undefined;
    const anywhere = { "+": () => canvas.larger(), "=": () => canvas.larger(), "-": () => canvas.smaller(), 0: () => canvas.zoom(1), f: () => canvas.fit(), "?": help };
    if (anywhere[key]) return done(anywhere[key]);
    if (step === undefined) return undefined;
    if (key === "a") return done(() => acts.press(canvas.below(step)));
    if (key === "e") return done(() => open(step));
    if (!step) return undefined;
    const own = { m: () => acts.carry(step), d: () => acts.duplicate(step), Delete: () => acts.remove(step), Backspace: () => acts.remove(step) };
    return own[key] ? done(own[key]) : undefined;
  }
}
