/* What the picker of conditions offers: each choice makes one condition, as ready as it can be. */

import { starting } from "./comparing.js";
import { t } from "./dom.js";
import { MESSAGE_WORDS, note } from "./happening.js";

const COLUMNS = {
  email: "Email address",
  phone: "Phone number",
  first_name: "First name",
  last_name: "Last name",
  language: "Language",
  timezone: "Time zone",
  country: "Country",
  known: "Is known (not anonymous)",
  first_seen_at: "First seen",
  last_seen_at: "Last seen",
};
const CHANNELS = { email: "email", sms: "SMS", push: "push", web_push: "web push", inapp: "in-app", whatsapp: "WhatsApp" };

export const channel = (slug) => t(CHANNELS[slug] || slug);
export const attributeName = (name) => (COLUMNS[name] ? t(COLUMNS[name]) : String(name).replaceAll("_", " "));

/** All choices, in the order in which people need them. `text` is what they read. */
export function choices(words) {
  return [...happenings(words), ...people(words), ...sent(words), ...consents(words), ...others(words), ...own(words)];
}

const event = (each, group) => ({ group, sign: "bolt", text: each.name, search: "did event", make: () => ({ event: each.name, within: "30 days" }) });

function happenings(words) {
  return words.events.filter((each) => !each.own).map((each) => event(each, t("What they did")));
}

function own(words) {
  return words.events.filter((each) => each.own && !each.name.startsWith("Message ")).map((each) => event(each, t("What Segue noted")));
}

function people(words) {
  return words.attributes.map((term) => ({
    group: t("Who they are"),
    sign: { date: "calendar_month", number: "tag", flag: "toggle_on", list: "list" }[term.type] || "person",
    text: attributeName(term.name),
    note: note(term),
    search: `${term.name} ${(term.samples || []).join(" ")}`,
    make: () => ({ attribute: term.name, ...starting(term.type) }),
  }));
}

function sent(words) {
  return words.messages.flatMap((state) =>
    ["", ...words.channels].map((slug) => ({
      group: t("Messages"),
      sign: "mail",
      text: `${capital(t(MESSAGE_WORDS[state] || state))} ${slug ? channel(slug) : t("any message")}`,
      search: `${state} ${slug} ${t("message")}`,
      make: () => ({ message: state, ...(slug ? { channel: slug } : {}), within: "30 days" }),
    })),
  );
}

function consents(words) {
  return words.channels.flatMap((slug) =>
    words.purposes.map((purpose) => ({
      group: t("Consent"),
      sign: "verified_user",
      text: t("Allowed {channel} for {purpose}", { channel: channel(slug), purpose: purpose.name }),
      search: "consent consented opt-in permission",
      make: () => ({ consent: { channel: slug, purpose: purpose.slug }, state: "allowed" }),
    })),
  );
}

function others(words) {
  return [
    ...words.channels.map((slug) => ({
      group: t("Consent"),
      sign: "alternate_email",
      text: t("Can be reached by {channel}", { channel: channel(slug) }),
      search: "address reachable",
      make: () => ({ address: slug, reachable: true }),
    })),
    ...words.segments.map((segment) => ({
      group: t("Segments"),
      sign: "category",
      text: t("In segment {name}", { name: segment.name }),
      note: new Intl.NumberFormat().format(segment.size),
      search: segment.slug,
      make: () => ({ segment: segment.slug, member: true }),
    })),
    ...words.predictions.map((prediction) => ({
      group: t("Predictions"),
      sign: "insights",
      text: prediction.name.replaceAll("_", " "),
      note: prediction.least === null ? "" : `${round(prediction.least)} – ${round(prediction.most)}`,
      search: `prediction ${prediction.name}`,
      make: () => ({ prediction: prediction.name, op: "gte", value: prediction.most === null ? "" : round((prediction.least + prediction.most) / 2) }),
    })),
  ];
}

const round = (value) => Math.round(value * 100) / 100;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
