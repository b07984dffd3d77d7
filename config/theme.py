"""How the back office looks: name, colours and navigation."""

from typing import Any

UNFOLD: dict[str, Any] = {"SITE_TITLE": "Segue", "SITE_HEADER": "Segue", "SITE_SYMBOL": "route"}
