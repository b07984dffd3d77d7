/* The journey builder: what mouse, keys and buttons ask for, and what keeps picture, panel and server in step. */

import { announce, speak, t } from "../../contacts/builder/dom.js";
import { Facts } from "../../contacts/builder/facts.js";
import { offerWindowsOfRuns } from "../../contacts/builder/lengths.js";
import { Acts } from "./acts.js";
import { Canvas } from "./canvas.js";
import { Picker, searching } from "./dialogs.js";
import { Draft } from "./draft.js";
import * as drag from "./drag.js";
import * as keys from "./keys.js";
import { Panel } from "./panel.js";
import { watch } from "./watching.js";

const SAVED = { saving: "Saving …", saved: "Saved", waiting: "The server does not answer. Trying again …", failed: "Not saved: the server did not answer. Change something to try again." };

async function start() {
  const root = document.getElementById("jb");
  const begun = JSON.parse(document.getElementById("jb-begun").textContent);
  const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
  const find = (name) => root.querySelector(name);
  const facts = new Facts(begun.asks);
  await facts.load().catch(() => {
    facts.words = { attributes: [], events: [], predictions: [], segments: [], channels: [], purposes: [], messages: [], consents: [], operators: [], totals: [], picks: [], journeys: [], templates: [], starters: [] };
    facts.known = new Set();
  });
  speak({ ...facts.words.texts, ...begun.texts });
  offerWindowsOfRuns();

  const canvas = new Canvas(find("[data-canvas]"), find("[data-sheet]"), find("[data-zoom]"));
  const state = (name) => {
    find("[data-saved]").textContent = t(SAVED[name]);
    find("[data-saved]").dataset.state = name;
  };
  let panel = null;
  let acts = null;
  let watching = null;

  const shown = (found, asked) => {
    state("saved");
    watching?.clear();
    canvas.show(found.flow);
    find("[data-outline]").innerHTML = found.outline;
    find("[data-do=undo]").disabled = !draft.past.length;
    find("[data-do=redo]").disabled = !draft.future.length;
    if (asked.act === "configure") {
      panel.mark();
      panel.count();
      if (panel.step) panel.title.textContent = draft.steps[panel.step]?.title || panel.step;
    } else if (panel.step !== null) {
      if (asked.act === "rename" && panel.step === asked.step) panel.open(found.look, { focus: false }).then(() => canvas.mark(found.look));
      else if (panel.step === "" || panel.step in draft.steps) panel.open(panel.step, { focus: false });
      else {
        panel.close();
        canvas.mark(null);
      }
    }
    if (found.gone?.length) announce(t("{count} steps went with it", { count: found.gone.length }));
  };
  const draft = new Draft(begun, token, {
    shown,
    saving: () => state("saving"),
    waiting: () => state("waiting"),
    failed: () => state("failed"),
    refused: (message) => {
      state("saved");
      acts.refused(message);
    },
    conflict: (theirs, asked, form) => watching.conflict(theirs, asked, form),
  });
  const travel = async (way) => {
    await panel.flush();
    if (await draft.travel(way)) announce(t(way === "undo" ? "Undone" : "Done again"));
    find("[data-do=undo]").disabled = !draft.past.length;
    find("[data-do=redo]").disabled = !draft.future.length;
  };
  const open = async (step, more) => {
    await panel.flush();
    canvas.mark(step);
    await panel.open(step, more);
  };
  const close = () => {
    const step = panel.step;
    panel.close();
    canvas.mark(null);
    if (step !== null) canvas.go(step);
  };
  panel = new Panel(find("[data-panel-place]"), {
    addresses: begun.addresses,
    facts,
    draft,
    travel,
    act: { connect: (edge, to) => acts.connect(edge, to), rename: (step, name) => draft.change({ act: "rename", step, name }) },
  });
  panel.title.dataset.start = t("Start, goal and exit");
  const picker = new Picker(document.getElementById("jb-picker"), {
    take: (kind, place) => acts.insert(kind, place),
    paste: (place) => acts.paste(place),
  });
  acts = new Acts({ root, canvas, draft, picker, panel, open, addresses: begun.addresses });
  watching = watch({ root, draft, addresses: begun.addresses, panel });

  find("[data-do=undo]").disabled = !draft.past.length;
  find("[data-do=redo]").disabled = !draft.future.length;
  searching(find("[data-search-steps]"), find("#jb-steps .jb-palette"));
  drag.listen(root, canvas, acts);
  const dialog = document.getElementById("jb-keys");
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  keys.listen(root, { canvas, acts, travel, open, close, panel, help: () => dialog.showModal() });
  const buttons = { undo: () => travel("undo"), redo: () => travel("redo"), "zoom-in": () => canvas.larger(), "zoom-out": () => canvas.smaller(), "zoom-one": () => canvas.zoom(1), fit: () => canvas.fit(), keys: () => dialog.showModal(), close };
  root.addEventListener("click", (event) => {
    const pressed = event.target.closest("button");
    if (!pressed || !root.contains(pressed)) return;
    if (buttons[pressed.dataset.do]) buttons[pressed.dataset.do]();
    else if (pressed.dataset.tab) tab(root, pressed);
    else if (pressed.dataset.jump !== undefined) {
      canvas.go(pressed.dataset.jump);
      if (pressed.closest(".jb-problems")) open(pressed.dataset.jump);
    } else if (pressed.matches("[data-open]")) {
      open(pressed.closest("[data-step]").dataset.step);
    } else if (pressed.dataset.place) acts.press(pressed);
    else if (pressed.matches("[data-more]")) acts.menu(pressed);
    else if (pressed.dataset.kind && pressed.closest("#jb-steps")) acts.insert(pressed.dataset.kind, canvas.below(canvas.opened || null));
  });
  window.addEventListener("beforeunload", (event) => {
    if (panel.dirty || draft.busy) event.preventDefault();
    panel.flush();
  });
  state("saved");
  document.documentElement.classList.add("has-builder");
  root.dataset.ready = "";
  if (!Object.keys(draft.draft.steps || {}).length) open("", { focus: true });
}

function tab(root, pressed) {
  root.querySelectorAll("[role=tab]").forEach((each) => {
    const chosen = each === pressed;
    each.setAttribute("aria-selected", String(chosen));
    each.tabIndex = chosen ? 0 : -1;
    document.getElementById(each.dataset.tab).hidden = !chosen;
  });
  pressed.focus();
}

start();
