/* Counts the segments of a text message while it is written, as channels/sms_segments.py does. */
"use strict";

(() => {
  const BASIC = new Set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
      "¿abcdefghijklmnopqrstuvwxyzäöñüà"
  );
  const EXTENDED = new Set("\f^{}\\[~]|€");

  const count = (text) => {
    const signs = [...text];
    const odd = [...new Set(signs.filter((sign) => !BASIC.has(sign) && !EXTENDED.has(sign)))];
    const sizes = signs.map((sign) => (odd.length ? sign.length : EXTENDED.has(sign) ? 2 : 1));
    const [single, part] = odd.length ? [70, 67] : [160, 153];
    const used = sizes.reduce((sum, size) => sum + size, 0);
    let segments = used ? 1 : 0;
    let left = single - used;
    if (used > single) {
      left = part;
      for (const size of sizes) {
        if (size > left) {
          segments += 1;
          left = part;
        }
        left -= size;
      }
    }
    return { encoding: odd.length ? "UCS-2" : "GSM-7", used, segments, left, odd };
  };

  const show = (place, field) => {
    const written = field.value.replace(/\{%[^]*?%\}/g, "");
    const found = count(written.replace(/\{\{[^]*?\}\}/g, "x".repeat(10)));
    const say = place.dataset;
    const parts = [
      found.segments === 1 ? say.one : say.many.replace("%d", found.segments),
      found.encoding,
      say.left.replace("%d", found.left),
    ];
    const prices = Object.entries(JSON.parse(say.prices || "{}"));
    if (prices.length && found.segments) {
      const costs = prices.map(([country, price]) => `${country} ${(price * found.segments).toFixed(3)}`);
      parts.push(`${say.cost} ${costs.join(", ")} ${say.currency}`);
    }
    const lines = [parts.join(" · ")];
    if (found.odd.length) {
      lines.push(`${say.odd} ${found.odd.slice(0, 12).join(" ")}`);
    }
    if (written.includes("{{")) {
      lines.push(say.about);
    }
    place.replaceChildren(
      ...lines.map((line) => {
        const row = document.createElement("span");
        row.textContent = line;
        return row;
      })
    );
  };

  if (typeof document === "undefined") {
    globalThis.countSegments = count;
    return;
  }
  for (const place of document.querySelectorAll("[data-sms-count]")) {
    const field = document.getElementById(place.dataset.smsCount);
    if (field) {
      field.addEventListener("input", () => show(place, field));
      show(place, field);
    }
  }
})();
