/* Segue's service worker: shows pushes, tells that they were shown, and follows their links. Serve it from your
 * shop's own origin, or register Segue's own copy at /segue-sw.js. */
"use strict";

self.addEventListener("push", (event) => {
  let words = {};
  try {
    words = event.data ? event.data.json() : {};
  } catch {
    words = { title: event.data.text() };
  }
  const buttons = Array.isArray(words.actions) ? words.actions : [];
  const urls = { "": words.url || "" };
  for (const button of buttons) urls[button.action] = button.url || urls[""];
  const options = { body: words.body || "", tag: words.tag, data: { urls } };
  if (words.icon) options.icon = words.icon;
  if (words.image) options.image = words.image;
  if (buttons.length) options.actions = buttons.map(({ action, title }) => ({ action, title }));
  event.waitUntil(self.registration.showNotification(words.title || "", options).then(() => told(words.receipt)));
});

/** Say that it was shown; that nobody hears it is no reason to fail. */
async function told(receipt) {
  if (!/^https?:\/\//.test(receipt || "")) return;
  try {
    await fetch(receipt, { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true });
  } catch {
    // The network is away.
  }
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { urls = {} } = event.notification.data || {};
  const url = urls[event.action || ""] || urls[""];
  if (/^https?:\/\//.test(url || "")) event.waitUntil(self.clients.openWindow(url));
});
