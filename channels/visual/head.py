"""The preview text of a mail: what mailboxes show beside the subject, kept in MJML's head."""

from __future__ import annotations

import html
import re

from channels.rendering_markup import restore, swap

_PREVIEW = re.compile(r"<mj-preview>(.*?)</mj-preview>", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"<mj-head>", re.IGNORECASE)
_START = re.compile(r"<mjml\b[^>]*>", re.IGNORECASE)


def preview_text(before: str) -> str:
    """The preview text in what stands before a body, as a reader sees it."""
    found = _PREVIEW.search(before)
    if found is None:
        return ""
    swapped, tags = swap(found[1])
    return " ".join(restore(html.unescape(swapped), tags).split())


def with_preview_text(before: str, text: str) -> str:
    """``before`` with this preview text; as it was where the text says the same."""
    words = " ".join(text.split())
    if words == preview_text(before):
        return before
    swapped, tags = swap(words)
    tag = f"<mj-preview>{restore(html.escape(swapped, quote=False), tags)}</mj-preview>" if words else ""
    if _PREVIEW.search(before):
        return _PREVIEW.sub(lambda _match: tag, before, count=1)
    if _HEAD.search(before):
        return _HEAD.sub(lambda match: f"{match[0]}\n    {tag}", before, count=1)
    return _START.sub(lambda match: f"{match[0]}\n  <mj-head>{tag}</mj-head>", before, count=1)
