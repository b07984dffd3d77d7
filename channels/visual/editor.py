"""The visual editor's own files: npm packages fetched at set-up, never needed to run."""

from __future__ import annotations

import hashlib

from django.contrib.staticfiles import finders

from channels.models import TemplateVersion
from channels.models.provider import Channel
from channels.rendering_markup import is_mjml

FILES = ("editor/grapesjs/grapes.min.js", "editor/grapesjs/css/grapes.min.css", "editor/mjml/index.js")
#: What a mail begins with of which nothing is written yet.
BLANK = """<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" />
      <mj-text font-size="16px" line-height="1.55" color="#1f2d2d" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#eef3f2" width="600px">
  </mj-body>
</mjml>
"""


def is_there() -> bool:
    """Whether the editor's files have been fetched."""
    return all(finders.find(name) for name in FILES)


def fits(version: TemplateVersion) -> bool:
    """Whether a version can be designed visually: MJML, or nothing yet."""
    return version.template.channel == Channel.EMAIL and (not version.body.strip() or is_mjml(version.body))


def revision(version: TemplateVersion) -> str:
    """Names the words that were opened, so that what somebody else changed meanwhile is not overwritten."""
    told = "\0".join((str(version.number), version.subject, version.body))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
