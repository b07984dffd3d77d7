/* Elements, texts and announcements: the little that every part of the builder needs. */

let words = {};

/** Texts in the reader's language, by the English one. */
export function speak(translated) {
  words = translated || {};
}

/** The text in the reader's language; {name} is filled in from `values`. */
export function t(text, values = {}) {
  return (words[text] || text).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

/** An element: properties by name, `on` for listeners, `data` and `aria` for attributes of that kind. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") Object.entries(value).forEach(([event, act]) => element.addEventListener(event, act));
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "class") element.className = value;
    else if (name in element && name !== "list" && name !== "form" && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  return h("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, name);
}

/** A button; with `label` alone it shows the icon and says the label. */
export function button({ label, sign, text, act, key, style = "", ...more }) {
  return h(
    "button",
    {
      type: "button",
      class: `sb-button ${text ? "" : "is-icon"} ${style}`.trim(),
      "aria-label": text ? null : label,
      title: text ? more.title : label,
      data: key ? { key } : {},
      on: { click: act },
      ...more,
    },
    sign ? icon(sign) : null,
    text || null,
  );
}

/** A native choice. `options` are [value, text] or {group, options}. */
export function select({ options, value, label, key, path, act }) {
  const draw = (option) =>
    option.group
      ? h("optgroup", { label: option.group }, option.options.map(draw))
      : h("option", { value: String(option[0]), selected: String(option[0]) === String(value) }, option[1]);
  return h(
    "select",
    { class: "sb-select", "aria-label": label, data: { key, path: path || "" }, on: { change: (event) => act(event.target.value) } },
    options.map(draw),
  );
}

/** A line of text, a number or a date; tells of each stroke. */
export function input({ type = "text", value, label, key, path, act, size, ...more }) {
  const field = h("input", {
    type,
    class: `sb-input ${size ? `is-${size}` : ""}`,
    "aria-label": label,
    autocomplete: "off",
    data: { key, path: path || "" },
    on: { input: (event) => act(event.target.value, event.target) },
    ...more,
  });
  field.value = value ?? "";
  return field;
}

/** Say something to those who cannot see it happen. */
export function announce(text) {
  const place = document.getElementById("sb-said");
  place.textContent = "";
  window.setTimeout(() => {
    place.textContent = text;
  }, 30);
}

/** Wait until nothing was asked for a while. */
export function later(act, milliseconds) {
  let timer = 0;
  return (...given) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => act(...given), milliseconds);
  };
}

export const number = (value) => new Intl.NumberFormat(document.documentElement.lang || "en").format(value);
