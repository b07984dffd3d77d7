"""The door of pixels and links: answers, redirects only where it was told, and never changes anything."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from channels import sites, tracking_door
from channels.hits import NewHit
from channels.links import ids, signer, tracker
from channels.models import Hit, Message
from channels.tracking import CLICK, OPEN
from contacts import clock, visits
from contacts.group_commit import StoreDown
from contacts.visits import Visit
from tests.factories import NOON, make_contact, make_queued, make_source

pytestmark = pytest.mark.django_db


class _Keeper:
    def __init__(self) -> None:
        self.hits: list[NewHit] = []

    def store(self, rows: list[Any]) -> None:
        self.hits += rows


class _Down:
    def store(self, rows: list[Any]) -> None:
        raise StoreDown("down")


def _ask(path: str, keeper: Any, method: str = "GET", **environ: str) -> tuple[str, dict[str, str], bytes]:
    seen: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], *_more: object) -> Callable[[bytes], object]:
        seen.update(status=status, headers=dict(headers))
        return lambda _data: None

    store = lambda: keeper  # noqa: E731
    body = b"".join(
        tracking_door.answer({"PATH_INFO": path, "REQUEST_METHOD": method, **environ}, start, store)
    )
    return seen["status"][:3], seen["headers"], body


@pytest.fixture
def message() -> Message:
    return make_queued(make_contact())


def test_a_pixel_is_an_image_and_leaves_a_hit(message: Message) -> None:
    keeper = _Keeper()
    token = signer().sign(OPEN, message.id, message.created_at)
    status, headers, body = _ask(f"/t/o/{token}.gif", keeper, HTTP_USER_AGENT="Agent", REMOTE_ADDR="10.1.2.3")
    assert (status, headers["Content-Type"], body[:6]) == ("200", "image/gif", b"GIF89a")
    (hit,) = keeper.hits
    assert (hit.kind, hit.message_id, hit.message_created_at) == ("open", message.id, message.created_at)
    assert hit.data == {"method": "GET", "agent": "Agent", "purpose": "", "network": "10.1.2.0"}


def test_a_link_leads_to_what_it_was_made_for(message: Message) -> None:
    address = "https://shop.example/caf\u00e9?a=1&b=2"
    link = tracker(message.id, message.created_at, ids([address]))(address)
    status, headers, _body = _ask("/" + link.split("/", 3)[3], _Keeper())
    assert status == "302"
    assert headers["Location"] == "https://shop.example/caf%C3%A9?a=1&b=2"


@pytest.mark.parametrize(
    "path",
    [
        "/t/c/",
        "/t/c/nonsense",
        "/t/o/nonsense.gif",
        "/t/x",
        "/t/c/https://evil.example",
        "/t/c//evil.example",
    ],
)
def test_what_was_not_signed_is_not_found(path: str) -> None:
    keeper = _Keeper()
    assert _ask(path, keeper, QUERY_STRING="url=https://evil.example")[0] == "404"
    assert keeper.hits == []


def test_an_altered_or_foreign_token_leads_nowhere(message: Message) -> None:
    (link_id,) = ids(["https://shop.example/"]).values()
    token = signer().sign(CLICK, message.id, message.created_at, link_id)
    pixel = signer().sign(OPEN, message.id, message.created_at)
    for bad in (token[:-1] + ("A" if token[-1] != "A" else "B"), token[::-1], pixel, token + "A"):
        assert _ask(f"/t/c/{bad}", _Keeper())[0] == "404"


def test_a_link_that_is_no_more_is_not_found(message: Message) -> None:
    token = signer().sign(CLICK, message.id, message.created_at, 999_999)
    assert _ask(f"/t/c/{token}", _Keeper())[0] == "404"


def test_pixels_and_known_links_answer_while_the_store_is_down(message: Message) -> None:
    address = "https://shop.example/known"
    link = "/" + tracker(message.id, message.created_at, ids([address]))(address).split("/", 3)[3]
    assert _ask(link, _Keeper())[0] == "302"
    assert _ask(link, _Down())[0] == "302"
    token = signer().sign(OPEN, message.id, message.created_at)
    assert _ask(f"/t/o/{token}.gif", _Down())[0] == "200"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_fetching_changes_nothing_at_once(message: Message, method: str) -> None:
    before = Message.objects.filter(id=message.id).values().get()
    token = signer().sign(OPEN, message.id, message.created_at)
    for _ in range(3):
        _ask(f"/t/o/{token}.gif", _Keeper(), method, HTTP_SEC_PURPOSE="prefetch")
    assert Message.objects.filter(id=message.id).values().get() == before
    assert not Hit.objects.exists()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE"])
def test_other_methods_are_refused(message: Message, method: str) -> None:
    token = signer().sign(OPEN, message.id, NOON)
    assert _ask(f"/t/o/{token}.gif", _Keeper(), method)[0] == "405"


@pytest.fixture
def site() -> Iterator[None]:
    make_source(kind="web", site="https://shop.example")
    sites.forget()
    yield
    sites.forget()


def _location(message: Message, address: str, method: str = "GET") -> str:
    link = tracker(message.id, message.created_at, ids([address]))(address)
    return _ask("/" + link.split("/", 3)[3], _Keeper(), method)[1]["Location"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("host", ["shop.example", "www.shop.example", "SHOP.example:443"])
def test_a_link_to_a_website_of_ours_says_which_message_brought_the_visit(
    message: Message, host: str
) -> None:
    Message.objects.filter(pk=message.pk).update(origin_slug="cart-left", origin_step="remind")
    location = urlsplit(_location(message, f"https://{host}/cups?a=1#top"))
    query = parse_qs(location.query)

    assert (location.fragment, query["a"]) == ("top", ["1"])
    visit = visits.signer().read(query["segue_m"][0], clock.now())
    assert visit == Visit(message.id, "email", "cart-left", "remind")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/a?b=1",
        "https://shop.example.evil.example/",
        "https://user@evil.example/shop.example",
    ],
)
def test_a_link_to_any_other_host_is_untouched(message: Message, address: str) -> None:
    assert _location(message, address) == address


@pytest.mark.usefixtures("site")
def test_who_only_looks_at_a_link_gets_no_token(message: Message) -> None:
    assert _location(message, "https://shop.example/", "HEAD") == "https://shop.example/"
