/* The picture: where the focus stands and goes, which step is open, and how large it is drawn. */

const SIZES = [0.4, 0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5];
const KEPT = "segue-journey-zoom";

export class Canvas {
  constructor(place, sheet, output) {
    this.place = place;
    this.sheet = sheet;
    this.output = output;
    this.opened = null;
    this.zoom(Number(localStorage.getItem(KEPT)) || 1);
  }

  /** Another picture. The focus stays where it was, as far as that is still there. */
  show(html) {
    const focus = this.place.contains(document.activeElement) ? document.activeElement : null;
    const step = focus?.closest("[data-step]")?.dataset.step;
    const place = focus?.dataset.place;
    const [left, top] = [this.place.scrollLeft, this.place.scrollTop];
    const details = this.sheet.querySelector(".jb-problems details")?.open;
    this.sheet.innerHTML = html;
    if (details) this.sheet.querySelector(".jb-problems details")?.setAttribute("open", "");
    this.place.scrollTo(left, top);
    this.mark(this.opened);
    if (!focus) return;
    const again = place ? this.sheet.querySelector(`[data-place="${CSS.escape(place)}"]`) : step === undefined ? null : this.button(step);
    (again || this.place).focus({ preventScroll: true });
  }

  node(step) {
    return this.sheet.querySelector(`.jb-node[data-step="${CSS.escape(step)}"]`);
  }

  button(step) {
    return this.node(step)?.querySelector("[data-open]");
  }

  /** Show which step the panel is about. */
  mark(step) {
    this.opened = step;
    this.sheet.querySelectorAll(".is-open").forEach((each) => {
      each.classList.remove("is-open");
      each.querySelector("[data-open]").removeAttribute("aria-current");
    });
    if (step === null) return;
    this.node(step)?.classList.add("is-open");
    this.button(step)?.setAttribute("aria-current", "true");
  }

  go(step) {
    const button = this.button(step);
    button?.focus({ preventScroll: true });
    button?.scrollIntoView({ block: "center", inline: "center" });
    return Boolean(button);
  }

  /** Where a step may stand: every plus that is not inside the step itself. */
  places(step) {
    const own = step ? this.node(step)?.closest(".jb-item") : null;
    return [...this.sheet.querySelectorAll("[data-place]")].filter((each) => !own?.contains(each) && each.offsetParent);
  }

  /** The plus right below a step. */
  below(step) {
    const item = step ? this.node(step)?.closest(".jb-item") : null;
    if (!item) return this.sheet.querySelector("[data-place]");
    const next = item.nextElementSibling?.querySelector(":scope > [data-place]");
    return next || item.querySelector("[data-place]");
  }

  /** Move the focus by an arrow: among the steps, or among `among`. */
  step_by(key, among = null) {
    const all = among || [...this.sheet.querySelectorAll("[data-open]")].filter((each) => each.offsetParent);
    const at = document.activeElement;
    let next = null;
    if (key === "ArrowUp" || key === "ArrowDown") {
      const by = key === "ArrowDown" ? 1 : -1;
      const index = all.indexOf(at);
      if (index >= 0) next = all[index + by];
      else {
        const after = all.filter((each) => at.compareDocumentPosition(each) & (by > 0 ? Node.DOCUMENT_POSITION_FOLLOWING : Node.DOCUMENT_POSITION_PRECEDING));
        next = by > 0 ? after[0] : after[after.length - 1];
      }
    } else if (key === "Home" || key === "End") next = key === "Home" ? all[0] : all[all.length - 1];
    else {
      let way = at.closest(".jb-way");
      while (way && !next) {
        const beside = key === "ArrowRight" ? way.nextElementSibling : way.previousElementSibling;
        next = beside && (among ? all.find((each) => beside.contains(each)) : beside.querySelector("[data-open]") || beside.querySelector("[data-place]"));
        way = way.parentElement.closest(".jb-way");
      }
    }
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest", inline: "nearest" });
    return Boolean(next);
  }

  zoom(size) {
    this.size = Math.min(1.5, Math.max(0.3, size));
    this.sheet.style.zoom = String(this.size);
    this.output.textContent = `${Math.round(this.size * 100)} %`;
    localStorage.setItem(KEPT, String(this.size));
  }

  larger() {
    this.zoom(SIZES.find((each) => each > this.size + 0.01) || 1.5);
  }

  smaller() {
    this.zoom([...SIZES].reverse().find((each) => each < this.size - 0.01) || 0.4);
  }

  fit() {
    this.zoom(1);
    const wide = this.place.clientWidth / Math.max(this.sheet.scrollWidth, this.place.scrollWidth);
    const high = this.place.clientHeight / this.sheet.scrollHeight;
    this.zoom(Math.min(1, Math.max(0.4, Math.min(wide, Math.max(high, 0.5)))));
    this.place.scrollTo(0, 0);
  }
}
