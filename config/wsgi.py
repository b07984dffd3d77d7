"""The web's entrance. Intake and tracking answer before Django's middleware, which costs four fifths."""

import os
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections

from config.processes import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if os.environ.get("SEGUE_SUPERVISED"):
    die_with_parent()

Environ = dict[str, Any]
WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_django: WSGI = get_wsgi_application()

# Only now: both use models, which need Django set up.
from django.conf import settings  # noqa: E402

from channels import inapp_door, tracking_door  # noqa: E402
from config import request_counts  # noqa: E402
from contacts import intake_door  # noqa: E402

# The host of links, where it is one of its own: nothing else is answered there, no sign-in least of all.
_tracking_host = urlsplit(settings.SEGUE_TRACKING_URL).netloc.lower()
if settings.SEGUE_TRACKING_URL == settings.SEGUE_BASE_URL:
    _tracking_host = ""


def _answer(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    path: str = environ.get("PATH_INFO", "")
    if path.startswith("/t/"):
        # Looks after its connections itself: most answers need none.
        return tracking_door.application(environ, start_response)
    if _tracking_host and environ.get("HTTP_HOST", "").lower() == _tracking_host:
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "10")])
        return [b"not found\n"]
    if path.startswith("/v1/"):
        door: WSGI = intake_door.application
    elif path.startswith("/i/"):
        door = inapp_door.application
    else:
        return _django(environ, start_response)
    # As Django does at a request's beginning: a connection that failed before is not used again.
    close_old_connections()
    return door(environ, start_response)


application = request_counts.counting(_answer)
