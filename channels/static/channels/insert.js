// Puts a ready block into the code at the cursor; the field's own undo takes it back.
"use strict";
for (const place of document.querySelectorAll("[data-insert]")) {
  place.querySelector("button").addEventListener("click", () => {
    const field = document.getElementById(place.dataset.insert);
    field.focus();
    // The browser's own way keeps undo; where it is gone the text is put in all the same.
    if (!document.execCommand("insertText", false, `${place.querySelector("select").value}\n`)) {
      field.setRangeText(`${place.querySelector("select").value}\n`, field.selectionStart, field.selectionEnd, "end");
    }
  });
}
