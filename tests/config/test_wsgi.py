"""Which way a request takes: the doors before Django answer for themselves, all else is Django's."""

from io import BytesIO
from typing import Any

import pytest

from config.wsgi import application


def get(path: str) -> tuple[str, dict[str, str]]:
    told: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        told.update(status=status, headers={name.lower(): value for name, value in headers})

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }
    b"".join(application(environ, start_response))
    return told["status"], told["headers"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/nothing", "/t/nothing"])
def test_intake_and_tracking_answer_before_django(path: str) -> None:
    _, headers = get(path)
    # Django's security middleware puts this on whatever passes it.
    assert "cross-origin-opener-policy" not in headers


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/v1x", "/tea/"])
def test_everything_else_is_djangos(path: str) -> None:
    _, headers = get(path)
    assert "cross-origin-opener-policy" in headers
