/* The settings of the chosen block. */

import { h, t } from "../../contacts/builder/dom.js";
import { defined, isKept } from "./canvas.js";
import { nameOf } from "./names.js";

const decode = (text) => new DOMParser().parseFromString(`<i>${text.replaceAll("<", "&lt;")}</i>`, "text/html").body.textContent;
const encode = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

export class Panel {
  constructor(editor, place, { fields, placeholders }, ask) {
    Object.assign(this, { editor, place, fields, placeholders, ask });
  }

  /** Draw anew for what is chosen, unless somebody is typing in it. */
  draw(always = true) {
    if (!always && (this.editor.getEditing() || this.place.contains(document.activeElement))) return;
    const component = this.editor.getSelected();
    if (!component || !(isKept(component) || this.fields[component.get("type")])) {
      this.place.replaceChildren(h("p", { class: "segue-muted" }, t("Choose a block in the mail or in the outline to change it.")));
      return;
    }
    this.place.replaceChildren(
      h("p", {}, h("strong", { class: "segue-strong" }, nameOf(component))),
      h("div", { class: "vis-form segue-form" }, isKept(component) ? this.#code(component) : this.#settings(component)),
    );
  }

  #settings(component) {
    const type = component.get("type");
    const words = ["mj-text", "mj-button"].includes(type) ? this.#words(component) : [];
    return [...words, ...this.fields[type].map((field) => this.#row(component, field))];
  }

  #row(component, field) {
    const value = decode(component.get("attributes")[field.name] || (field.name === "src" && component.get("src")) || "");
    const id = `vis-${field.name}`;
    const set = (text) => {
      const told = encode(text);
      if (field.name === "src") component.set("src", told);
      if (told) component.addAttributes({ [field.name]: told });
      else component.removeAttributes(field.name);
    };
    if (field.kind === "choice") {
      const options = [["", t("as usual")], ...field.choices];
      if (value && !options.some(([known]) => known === value)) options.push([value, value]);
      return row(id, field.label, h("select", { id, data: { name: field.name }, on: { change: (event) => set(event.target.value) } },
        options.map(([one, label]) => h("option", { value: one, selected: one === value }, label))));
    }
    const text = h("input", { id, type: "text", autocomplete: "off", placeholder: field.example, data: { name: field.name }, on: { change: (event) => set(event.target.value) } });
    text.value = value;
    if (field.kind !== "colour") return row(id, field.label, text);
    const colour = h("input", { type: "color", "aria-label": field.label, on: { change: (event) => { text.value = event.target.value; set(text.value); } } });
    colour.value = /^#[0-9a-f]{6}$/i.test(value) ? value : "#ffffff";
    return row(id, field.label, h("div", { class: "vis-colour" }, colour, text));
  }

  /** Letters of the words that are being edited in place, and the same words as text for the keyboard. */
  #words(component) {
    const text = h("textarea", { id: "vis-content", rows: 6, class: "is-code", spellcheck: true, on: { change: (event) => component.set("content", event.target.value) } });
    text.value = component.get("content");
    const put = h("select", { id: "vis-put" }, this.placeholders.map(([liquid, label]) => h("option", { value: liquid }, label)));
    const address = h("input", { id: "vis-link", type: "text", autocomplete: "off", placeholder: "https://" });
    const small = (label, act, ...shown) =>
      h("button", { type: "button", class: "segue-button is-small", "aria-label": shown.length ? label : null, on: { mousedown: (event) => event.preventDefault(), click: act } }, ...(shown.length ? shown : [label]));
    const marks = [["bold", "strong", "B"], ["italic", "em", "I"], ["underline", "u", "U"]].map(([name, tag, sign]) =>
      small(t(name), () => this.#change(component, text, [name], (chosen) => chosen && `<${tag}>${chosen}</${tag}>`), h(tag, {}, sign)));
    // A press here does not end the writing in the mail.
    const stay = { mousedown: (event) => event.stopPropagation() };
    return [
      h("div", { class: "vis-form", on: stay },
        h("div", { class: "vis-letters" }, marks),
        row("vis-content", t("Words (HTML and Liquid)"), text),
        h("div", { class: "vis-pair" }, row("vis-put", t("Placeholder"), put), small(t("Put in"), () => this.#change(component, text, ["insertText", put.value], () => put.value))),
        component.get("type") === "mj-text" && h("div", { class: "vis-pair" }, row("vis-link", t("Address for the chosen words"), address),
          small(t("Link"), () => this.#change(component, text, ["createLink", address.value], (chosen) => chosen && address.value && `<a href="${encode(address.value)}">${chosen}</a>`)))),
    ];
  }

  /** Change the words chosen in the mail, where somebody writes in it, else those chosen in the text. */
  #change(component, text, [command, value], made) {
    if (this.editor.getEditing()) {
      this.editor.Canvas.getWindow().focus();
      this.editor.Canvas.getDocument().execCommand(command, false, value);
      return;
    }
    const told = made(text.value.slice(text.selectionStart, text.selectionEnd));
    if (!told) return;
    text.setRangeText(told, text.selectionStart, text.selectionEnd, "end");
    component.set("content", text.value);
  }

  #code(component) {
    const text = h("textarea", { id: "vis-code", rows: 12, class: "is-code", spellcheck: false, wrap: "off" });
    text.value = component.get("code");
    const inside = component.parent().get("type");
    const use = async () => {
      const pieces = await this.ask(text.value, inside);
      if (!pieces) return;
      const added = component.replaceWith(defined(pieces, inside));
      this.editor.select([added].flat()[0]);
    };
    return [row("vis-code", t("Code of this block"), text), h("button", { type: "button", class: "segue-button is-small", on: { click: use } }, t("Use this code"))];
  }
}

const row = (id, label, field) => h("div", { class: "segue-row" }, h("label", { for: id }, label), field);
