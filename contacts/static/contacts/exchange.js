// Keeps the progress of an import or export current while it is worked on; without this the page has a link.
"use strict";
{
  const place = document.querySelector("[data-follow]");
  const every = 1000;
  const look = async () => {
    try {
      const answer = await fetch(place.dataset.follow, { headers: { "X-Requested-With": "fetch" } });
      if (answer.ok) {
        if (answer.headers.get("X-State") !== place.dataset.state) {
          location.reload();
          return;
        }
        place.innerHTML = await answer.text();
      }
    } catch {
      // The server is away for a moment; the next look may find it.
    }
    setTimeout(look, every);
  };
  if (place) {
    setTimeout(look, every);
  }
}
