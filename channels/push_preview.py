"""A push as a device may show it: a page for a frame that can do nothing."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from channels.delivery_parcels import look
from channels.rendering import Letter

_STYLE = SafeString(
    "body{margin:0;font:14px/1.4 system-ui,sans-serif;color:#1c1c1c;background:#eef1f1}"
    "section{margin:12px;padding:12px;background:#fff;border-radius:12px;display:grid;gap:8px;"
    "grid-template-columns:1fr auto;overflow-wrap:anywhere}"
    "p{margin:0;white-space:pre-line}.icon{width:48px;height:48px;border-radius:8px;object-fit:cover}"
    ".wide,.buttons{grid-column:1/-1}.wide{width:100%;max-height:180px;object-fit:cover;border-radius:8px}"
    ".buttons{display:flex;gap:8px}.buttons span{flex:1;padding:6px;text-align:center;border-radius:8px;"
    "background:#e3e9e9}"
)


def page(letter: Letter) -> str:
    """The HTML of a finished push."""
    seen = look(letter)
    icon, image = seen.icon or seen.image, seen.image
    return format_html(
        "<!doctype html><meta charset=utf-8><style>{}</style>"
        "<section><div><strong>{}</strong><p>{}</p></div>{}{}{}</section>",
        _STYLE,
        letter.subject,
        letter.text,
        format_html('<img class="icon" alt="" src="{}">', icon) if icon else "",
        format_html('<img class="wide" alt="" src="{}">', image) if image else "",
        format_html(
            '<div class="buttons">{}</div>',
            format_html_join("", "<span>{}</span>", ((one.words,) for one in seen.buttons)),
        )
        if seen.buttons
        else "",
    )
