/* What blocks are called. */

import { t } from "../../contacts/builder/dom.js";

export const speakOf = (type) => t(type);

/** The name of a component in the outline: its kind, and how its words begin. */
export function nameOf(component) {
  if (component.get("type").startsWith("kept-")) return component.get("label") || component.get("code").slice(0, 40);
  const words = new DOMParser().parseFromString(component.get("content") || component.getAttributes().alt || "", "text/html").body.textContent;
  const short = words.replace(/\s+/g, " ").trim().slice(0, 32);
  return short ? `${speakOf(component.get("type"))}: ${short}` : speakOf(component.get("type"));
}
