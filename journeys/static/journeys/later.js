// Puts a part of a page in its place that takes a while to work out; without this the page has a link to it.
"use strict";
for (const place of document.querySelectorAll("[data-later]")) {
  const said = place.querySelector("[role=status]");
  fetch(place.dataset.later, { headers: { "X-Requested-With": "fetch" } })
    .then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)))
    .then((part) => {
      place.innerHTML = part;
    })
    .catch(() => {
      if (said) said.textContent = place.dataset.failed;
    });
}
