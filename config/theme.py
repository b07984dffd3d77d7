"""How the back office looks: name, colours and navigation.

The sheet config/static/config/segue.css holds the tokens and components of our own pages; the scales here
colour what django-unfold draws, from the same hues.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static


def _static(path: str) -> Callable[[HttpRequest], str]:
    return lambda _request: static(path)


# Cool greys that lean towards the accent, so that neither fights the other.
_GREYS = {
    "50": "oklch(98.4% .004 210)",
    "100": "oklch(96.2% .006 212)",
    "200": "oklch(91.5% .009 215)",
    "300": "oklch(86% .012 216)",
    "400": "oklch(71% .018 218)",
    "500": "oklch(50% .022 222)",
    "600": "oklch(41% .022 224)",
    "700": "oklch(35% .02 225)",
    "800": "oklch(28% .018 225)",
    "900": "oklch(20.5% .014 225)",
    "950": "oklch(14% .01 225)",
}
# Petrol. 600 carries white text and is text itself on white; 500 is text on dark ground.
_PETROL = {
    "50": "oklch(97.5% .012 205)",
    "100": "oklch(95% .024 205)",
    "200": "oklch(90% .045 205)",
    "300": "oklch(83% .07 204)",
    "400": "oklch(79% .085 202)",
    "500": "oklch(72% .09 202)",
    "600": "oklch(47% .085 205)",
    "700": "oklch(41% .075 205)",
    "800": "oklch(35% .062 206)",
    "900": "oklch(30% .05 207)",
    "950": "oklch(23% .04 208)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Segue",
    "SITE_HEADER": "Segue",
    "SITE_SUBHEADER": "Contacts, journeys, channels",
    "SITE_ICON": _static("config/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "sizes": "any", "href": _static("config/mark.svg")}
    ],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "base": _GREYS,
        "primary": _PETROL,
        "font": {
            "subtle-light": "var(--color-base-500)",
            "subtle-dark": "var(--color-base-400)",
            "default-light": "var(--color-base-600)",
            "default-dark": "var(--color-base-300)",
            "important-light": "var(--color-base-900)",
            "important-dark": "var(--color-base-100)",
        },
    },
    "DASHBOARD_CALLBACK": "config.dashboard.fill",
    "STYLES": [_static("config/segue.css")],
    "ACCOUNT": {"navigation": "config.navigation.account"},
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.navigation.sidebar",
    },
}
