/* The canvas: grapesjs with its MJML plugin, fed with pieces of MJML and read back as pieces.
 *
 * Its panels, layers and dialogs are not used: those beside it are our own, for the keyboard and both themes.
 */

import { speakOf } from "./names.js";

const BOXES = ["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"];
const PARTS = ["mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer"];
/* What takes what. Kept pieces are of the kind that fits where they stand. */
const HOLDS = {
  "mj-body": ["mj-section", "mj-wrapper", "mj-hero", "kept-block"],
  "mj-wrapper": ["mj-section", "mj-hero", "kept-block"],
  "mj-section": ["mj-column", "mj-group", "kept-column"],
  "mj-group": ["mj-column", "kept-column"],
  "mj-column": [...PARTS, "kept-part"],
  "mj-hero": [...PARTS, "kept-part"],
};
const KEPT = { "mj-body": "kept-block", "mj-wrapper": "kept-block", "mj-section": "kept-column", "mj-group": "kept-column", "mj-column": "kept-part", "mj-hero": "kept-part" };
/* How kept pieces look that have no look of their own: conditions, loops, notes. */
const MARKS = `
  body { background: #fff; }
  .vis-kept { position: relative; }
  .vis-kept * { pointer-events: none; }
  .vis-kept > code { display: block; margin: 2px auto; max-width: 560px; padding: 3px 10px; border: 1px dashed #7a9a98; border-radius: 6px; background: #eef6f5; color: #1d4f4c; font: 500 12px/1.5 system-ui, sans-serif; text-align: center; overflow-wrap: anywhere; }
  [contenteditable="true"] { outline: 2px solid #0f6b6b; outline-offset: 2px; cursor: text; }
`;
const query = (types) => types.map((type) => `[data-gjs-type="${type}"]`).join(", ");
const holdersOf = (type) => Object.keys(HOLDS).filter((holder) => HOLDS[holder].includes(type));

export const isKept = (component) => component.get("type").startsWith("kept-");
export const takes = (holder, type) => (HOLDS[holder] || []).includes(type);

/** Definitions of grapesjs for pieces that stand `inside` a tag. */
export function defined(pieces, inside) {
  return pieces.map((piece) => {
    if (piece.tag === "kept") {
      return { type: KEPT[inside] || "kept-block", code: piece.source, look: piece.look, label: piece.label };
    }
    return {
      type: piece.tag,
      tagName: piece.tag,
      attributes: { ...piece.attributes },
      source: piece.source,
      ...(BOXES.includes(piece.tag) ? { components: defined(piece.children, piece.tag) } : {}),
      ...(piece.content ? { content: piece.content } : {}),
    };
  });
}

/** A component as a piece again. */
export function told(component) {
  if (isKept(component)) return { tag: "kept", attributes: {}, content: "", source: component.get("code"), children: [] };
  const type = component.get("type");
  const attributes = { ...component.get("attributes") };
  for (const name of ["id", "style", "class", "__p"]) delete attributes[name];
  for (const [name, value] of Object.entries(attributes)) {
    if (value === "" && !(component.get("source") || "").includes(`${name}=`)) delete attributes[name];
    else attributes[name] = String(value);
  }
  return {
    tag: type,
    attributes,
    content: PARTS.includes(type) ? component.get("content") || "" : "",
    source: component.get("source") || "",
    children: BOXES.includes(type) ? component.components().models.filter((child) => HOLDS[type].includes(child.get("type"))).map(told) : [],
  };
}

/** Start the editor in `#visual`. `document_` holds before, body and after. */
export function start(document_) {
  const plugin = window["grapesjs-mjml"].default || window["grapesjs-mjml"];
  const editor = window.grapesjs.init({
    container: "#visual",
    height: "100%",
    width: "auto",
    fromElement: false,
    telemetry: false,
    storageManager: false,
    cssIcons: "",
    noticeOnUnload: false,
    showDevices: false,
    panels: { defaults: [] },
    blockManager: { custom: true },
    layerManager: { custom: true },
    styleManager: { custom: true },
    traitManager: { custom: true },
    selectorManager: { custom: true },
    canvasCss: MARKS,
    assetManager: { custom: true, upload: false },
    deviceManager: { devices: [{ id: "desktop", name: "Desktop", width: "" }, { id: "phone", name: "Phone", width: "390px", widthMedia: "480px" }] },
    plugins: [(made) => plugin(made, { blocks: [], useCustomTheme: false, resetDevices: false, columnsPadding: "", imagePlaceholderSrc: "", customComponents: [(_editor, { opt }) => addHead(opt, document_)] })],
  });
  addTypes(editor);
  editor.setCustomRte(letters());
  // A double press on a picture asks for its address in the settings.
  editor.Commands.add("open-assets", { run: () => document.querySelector('#vis-panel [data-name="src"]')?.focus() });
  editor.setComponents({ type: "mjml", tagName: "mjml", components: defined([document_.body], "") });
  return editor;
}

/** The mail's head goes before each piece that the plugin compiles, so that its styles show. */
function addHead(options, { before, picture }) {
  // A preview text would stand before what the plugin looks for.
  const head = (/<mj-head>[^]*<\/mj-head>/i.exec(before)?.[0] || "").replace(/<mj-preview>[^]*?<\/mj-preview>/gi, "");
  const compile = options.mjmlParser;
  // An address that Liquid makes is known when the mail is written: until then a picture stands for it.
  const shown = (input) => input.replace(/ (src|background-url)="[^"]*\{[{%][^"]*"/g, ` $1="${picture}"`);
  options.mjmlParser = (input, more) => compile(shown(input).replace("<mjml>", (start) => start + head), more);
}

export const bodyOf = (editor) => editor.getWrapper().findType("mj-body")[0];

function addTypes(editor) {
  const { Components } = editor;
  for (const type of [...BOXES, ...PARTS]) {
    // Without the plugin's own defaults: what is not set comes from the mail's head, as when it is sent.
    const defaults = { "style-default": {}, name: speakOf(type), traits: [], resizable: false };
    if (HOLDS[type]) defaults.droppable = query(HOLDS[type]);
    if (type !== "mj-body") defaults.draggable = query(holdersOf(type));
    Components.addType(type, { model: { defaults } });
  }
  for (const [type, tagName] of [["kept-block", "div"], ["kept-column", "div"], ["kept-part", "tr"]]) {
    Components.addType(type, {
      isComponent: () => false,
      model: {
        defaults: { tagName, draggable: query(holdersOf(type)), droppable: false, editable: false, code: "", look: "", label: "", traits: [], stylable: false },
      },
      view: {
        onRender({ el, model }) {
          const place = document.createElement(tagName === "tr" ? "td" : "div");
          place.className = "vis-kept";
          if (model.get("look")) place.innerHTML = model.get("look");
          else place.append(Object.assign(document.createElement("code"), { textContent: model.get("label") || model.get("code") }));
          el.replaceChildren(place);
        },
      },
    });
  }
}

/** Editing of words in place: what stands in the text is kept as it is, Liquid and all. */
function letters() {
  const plain = (event) => {
    event.preventDefault();
    event.target.ownerDocument.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  };
  let view = null;
  const keys = (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      event.target.ownerDocument.execCommand("insertLineBreak");
    } else if (event.key === "Escape") view?.disableEditing();
    event.stopPropagation();
  };
  return {
    parseContent: false,
    enable(element, _known, options) {
      view = options.view;
      element.contentEditable = "true";
      element.addEventListener("paste", plain);
      element.addEventListener("keydown", keys);
      element.focus();
      return { element };
    },
    disable(element) {
      element.contentEditable = "false";
      element.removeEventListener("paste", plain);
      element.removeEventListener("keydown", keys);
    },
    getContent: (element) => element.innerHTML,
  };
}
