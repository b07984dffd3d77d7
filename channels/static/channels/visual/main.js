/* Starts the visual editor and keeps what is designed: everything from this server, nothing kept in the browser. */

import { h, later, speak, t } from "../../contacts/builder/dom.js";
import * as canvas from "./canvas.js";
import * as outline from "./outline.js";
import * as palette from "./palette.js";
import { Panel } from "./panel.js";

const data = JSON.parse(document.getElementById("vis-data").textContent);
speak(data.texts);
const form = document.getElementById("vis-form");
const state = document.getElementById("vis-state");
const notes = document.getElementById("vis-notes");
const beside = document.getElementById("vis-beside");
const editor = canvas.start(data);
const panel = new Panel(editor, document.getElementById("vis-panel"), data, askForPieces);
let revision = data.revision;
let kept = "";
let leaving = false;

const body = () => JSON.stringify(canvas.told(canvas.bodyOf(editor)));
const designed = () => `{"before": ${JSON.stringify(data.before)}, "after": ${JSON.stringify(data.after)}, "body": ${body()}}`;
const all = () => JSON.stringify([form.elements.subject.value, form.elements.preview_text.value, body()]);
const isChanged = () => kept !== "" && all() !== kept;

function show() {
  outline.draw(editor, document.getElementById("vis-outline"));
  document.querySelector('[data-do="undo"]').disabled = !editor.UndoManager.hasUndo();
  document.querySelector('[data-do="redo"]').disabled = !editor.UndoManager.hasRedo();
  state.textContent = isChanged() ? t("Not saved yet") : t("Saved");
}
const soon = later(() => { show(); panel.draw(false); }, 60);

function say(level, words, ...more) {
  const tone = { error: "is-bad", warning: "is-warn", success: "is-good" }[level] || "is-info";
  notes.append(h("div", { class: `segue-note ${tone}`, role: level === "error" ? "alert" : "status" }, words, ...more));
}

async function post(address, values) {
  const told = new FormData(form);
  for (const [name, value] of Object.entries(values)) told.set(name, value);
  const answer = await fetch(address, { method: "POST", body: told, headers: { "X-Requested-With": "fetch" } });
  return answer.headers.get("Content-Type")?.includes("json") ? answer.json() : { error: t("The server did not answer. Nothing is lost; try again.") };
}

/** Keep the draft, and do what `act` names with it. */
async function save(act, over = false) {
  // What is being typed in the mail is taken over first.
  await editor.getEditing()?.view?.syncContent?.({ force: true });
  notes.replaceChildren();
  state.textContent = t("Saving…");
  const sent = all();
  let answer;
  try {
    answer = await post(location.href, { document: designed(), revision, [act]: "1", contact: contact(), ...(over ? { over: "1" } : {}) });
  } catch {
    answer = { error: t("The server did not answer. Nothing is lost; try again.") };
  }
  if (answer.error) {
    const choice = answer.conflict
      ? [h("div", { class: "segue-actions" },
          h("button", { type: "button", class: "segue-button is-small", on: { click: () => save(act, true) } }, t("Save mine over it")),
          h("button", { type: "button", class: "segue-button is-small", on: { click: () => { leaving = true; location.reload(); } } }, t("Open theirs")))]
      : [];
    say("error", answer.error, ...choice);
    show();
    return;
  }
  revision = answer.revision;
  data.before = answer.before;
  kept = sent;
  if (answer.go) {
    leaving = true;
    location.assign(answer.go);
    return;
  }
  beside.innerHTML = answer.beside;
  answer.notes.forEach(([level, words]) => say(level, words));
  show();
}

const contact = () => beside.querySelector("#contact")?.value || "";

async function askForPieces(code, inside) {
  notes.replaceChildren();
  const answer = await post(form.dataset.piece, { code, inside, document: designed() });
  if (answer.error) say("error", answer.error);
  return answer.pieces;
}

/** Links and forms beside the editor lead to other previews of the same draft: only they change. */
async function look(address) {
  const page = new URL(address, location.href);
  try {
    const answer = await fetch(page, { headers: { "X-Requested-With": "fetch" } });
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("vis-beside");
    if (found) beside.replaceChildren(...found.childNodes);
  } catch {
    say("error", t("The server did not answer. Nothing is lost; try again."));
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save(event.submitter?.name || "save");
});
form.addEventListener("input", soon);
beside.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='?']");
  if (!link) return;
  event.preventDefault();
  look(link.getAttribute("href"));
});
beside.addEventListener("submit", (event) => {
  event.preventDefault();
  look(`?${new URLSearchParams(new FormData(event.target))}`);
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key !== "s") return;
  event.preventDefault();
  save("save");
});
window.addEventListener("beforeunload", (event) => {
  if (!leaving && isChanged()) event.preventDefault();
});
document.querySelector('[data-do="undo"]').addEventListener("click", () => editor.UndoManager.undo());
document.querySelector('[data-do="redo"]').addEventListener("click", () => editor.UndoManager.redo());
for (const button of document.querySelectorAll("[data-width]")) {
  button.addEventListener("click", () => {
    editor.setDevice(button.dataset.width);
    document.querySelectorAll("[data-width]").forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
  });
}

editor.on("load", () => {
  editor.Canvas.getFrameEl().title = t("The mail as it is designed");
  palette.draw(editor, document.getElementById("vis-palette"), data.palette);
  editor.on("component:selected component:deselected", () => { panel.draw(); show(); });
  editor.on("update component:update undo redo", soon);
  editor.UndoManager.clear();
  // A ready mail with which one begins is not kept yet.
  kept = data.begun ? "-" : all();
  panel.draw();
  show();
  document.documentElement.dataset.visual = "ready";
});
