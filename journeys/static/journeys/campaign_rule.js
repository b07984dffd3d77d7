/* A campaign's rule, built with the parts of the segment builder; its JSON stays below for experts. */

import { Facts } from "../contacts/builder/facts.js";
import { rule } from "./build/rules.js";

async function start() {
  const place = document.getElementById("campaign-rule");
  if (!place) return;
  const area = document.getElementById("id_rule");
  const facts = new Facts(JSON.parse(document.getElementById("campaign-asks").textContent));
  try {
    await facts.load();
  } catch {
    // Without the vocabulary the JSON is still there, and everything works with it.
    return;
  }
  document.documentElement.classList.add("has-builder");
  const expert = place.closest("details").querySelector(".sb-expert");
  if (!expert.querySelector(".errorlist, .segue-error")) expert.open = false;
  rule(place, area, facts);
  // What was typed by hand is drawn when the field is left; what is no JSON yet is left as it is.
  area.addEventListener("change", () => {
    try {
      JSON.parse(area.value || "{}");
      rule(place, area, facts);
    } catch {
      /* The server says what is wrong with it. */
    }
  });
}

start();
