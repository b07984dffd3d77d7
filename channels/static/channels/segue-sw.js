/* Segue's service worker: shows pushes and follows their link. Serve it from your shop's own origin,
 * or register Segue's own copy at /segue-sw.js. */
"use strict";

self.addEventListener("push", (event) => {
  let words = {};
  try {
    words = event.data ? event.data.json() : {};
  } catch {
    words = { title: event.data.text() };
  }
  const options = { body: words.body || "", tag: words.tag, data: { url: words.url || "" } };
  if (words.icon) {
    options.icon = words.icon;
  }
  if (Array.isArray(words.actions)) {
    options.actions = words.actions;
  }
  event.waitUntil(self.registration.showNotification(words.title || "", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = event.notification.data && event.notification.data.url;
  if (url && /^https?:\/\//.test(url)) {
    event.waitUntil(self.clients.openWindow(url));
  }
});
