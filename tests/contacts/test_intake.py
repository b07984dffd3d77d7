from datetime import timedelta
from typing import Any

import pytest

from contacts.intake_event import IntakeEvent
from contacts.models import InboxItem
from tests.contacts.sender import KEY, NOW, Inbox, send, track

pytestmark = pytest.mark.django_db

CALLS: dict[str, dict[str, Any]] = {
    "identify": {"userId": "ada", "traits": {"plan": "gold"}},
    "track": {"userId": "ada", "event": "Product Added", "properties": {"price": 5}},
    "page": {"anonymousId": "a-1", "name": "Home"},
    "screen": {"anonymousId": "a-1", "name": "Basket"},
    "group": {"userId": "ada", "groupId": "g-1", "traits": {"seats": 3}},
    "alias": {"userId": "ada", "previousId": "a-1"},
}


def only_event() -> IntakeEvent:
    (event,) = Inbox().events()
    return event


@pytest.mark.parametrize("call", CALLS)
def test_each_call_is_taken_in_under_its_whole_and_its_short_path(call: str) -> None:
    for path in (call, call[0]):
        answer = send(f"/v1/{path}", CALLS[call])
        assert (answer.status, answer.body) == (200, b'{"success": true}')
    assert [event.type for event in Inbox().events()] == [call, call]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/b"])
def test_a_batch_takes_in_all_kinds_of_calls_at_once(path: str) -> None:
    answer = send(path, {"batch": [{"type": call, **body} for call, body in CALLS.items()]})
    assert (answer.status, answer.body) == (200, b'{"success": true}')
    assert [event.type for event in Inbox().events()] == list(CALLS)


@pytest.mark.parametrize(
    ("call", "missing", "field"),
    [
        ("identify", "userId", "userId"),
        ("track", "userId", "userId"),
        ("track", "event", "event"),
        ("page", "anonymousId", "userId"),
        ("group", "groupId", "groupId"),
        ("alias", "previousId", "previousId"),
        ("alias", "userId", "userId"),
    ],
)
@pytest.mark.parametrize("absence", [None, "", "  ", ...], ids=["null", "empty", "blank", "absent"])
def test_a_call_without_what_it_needs_is_answered_with_the_field(
    call: str, missing: str, field: str, absence: object
) -> None:
    body = {**CALLS[call], missing: absence}
    if absence is ...:
        del body[missing]
    answer = send(f"/v1/{call}", body)
    assert answer.status == 400
    assert answer.json["code"] == "missing_field"
    assert answer.json["field"] == field
    assert Inbox().events() == []


def test_the_key_may_come_as_write_key_in_the_body() -> None:
    assert send("/v1/t", {**CALLS["track"], "writeKey": KEY}, key=None).status == 200
    assert send("/v1/b", {"batch": [track()], "writeKey": KEY}, key=None).status == 200


def test_nulls_count_as_absent_everywhere() -> None:
    nulls = dict.fromkeys(
        ("anonymousId", "groupId", "name", "properties", "traits", "context", "integrations", "timestamp")
    )
    assert send("/v1/track", {**CALLS["track"], **nulls, "properties": None}).status == 200
    assert bytes(only_event().properties) == b"{}"


def test_ids_written_as_numbers_become_texts() -> None:
    send("/v1/track", {"userId": 42, "event": "Hi", "messageId": 7})
    event = only_event()
    assert (event.user_id, event.message_id) == ("42", "7")


def test_an_event_without_message_id_gets_one() -> None:
    send("/v1/batch", {"batch": [track(messageId=None), track(messageId="")]})
    ids = [event.message_id for event in Inbox().events()]
    assert len(set(ids)) == 2
    assert all(len(message_id) == 36 for message_id in ids)


def test_context_and_integrations_of_a_batch_reach_each_item_and_the_item_wins() -> None:
    shared = {"context": {"ip": "::1", "locale": "fr"}, "integrations": {"All": True}}
    send(
        "/v1/batch",
        {"batch": [track(), track(context={"locale": "de"}, integrations={"Ads": False})], **shared},
    )
    plain, own = (event.context_dict() for event in Inbox().events())
    assert plain == {"ip": "::1", "locale": "fr", "integrations": {"All": True}}
    assert own == {"ip": "::1", "locale": "de", "integrations": {"All": True, "Ads": False}}


def test_a_page_keeps_its_category_among_the_properties() -> None:
    send("/v1/page", {"anonymousId": "a", "name": "Chairs", "category": "Shop", "properties": {"n": 1}})
    event = only_event()
    assert (event.name, event.properties_dict()) == ("Chairs", {"category": "Shop", "n": 1})


def test_one_persons_events_wait_in_one_lane() -> None:
    send("/v1/batch", {"batch": [track(event=f"Event {number}") for number in range(20)]})
    assert InboxItem.objects.values("lane").distinct().count() == 1


def test_a_bad_event_costs_only_itself_and_is_named_in_the_receipt() -> None:
    answer = send("/v1/batch", {"batch": [track(), track(event=None, messageId="m-2"), track()]})
    assert answer.status == 200
    assert answer.json == {
        "success": True,
        "accepted": 2,
        "rejected": [
            {
                "index": 1,
                "messageId": "m-2",
                "code": "missing_field",
                "message": "track requires event",
                "field": "event",
            }
        ],
    }
    assert Inbox().rejections() == ["missing_field: track requires event"]


def test_a_rejected_event_keeps_what_only_its_batch_knew() -> None:
    bad = track(event=None, context={"b": 2})
    send("/v1/batch", {"batch": [bad], "sentAt": "2026-03-10T11:59:00Z", "context": {"a": 1}})
    payload = bytes(InboxItem.objects.get().payload)
    assert b'"sentAt":"2026-03-10T11:59:00Z"' in payload
    assert b'"context":{"a":1,"b":2}' in payload


class TestTime:
    def occurred_at(self, **times: str) -> timedelta:
        """How long before its receipt an event with these times is taken to have happened."""
        sent = {"sentAt": times.pop("sentAt")} if "sentAt" in times else {}
        answer = send("/v1/batch", {"batch": [track(**times)], **sent})
        assert answer.body == b'{"success": true}'
        return NOW - only_event().occurred_at

    def test_without_any_time_it_happened_when_it_was_received(self) -> None:
        assert self.occurred_at() == timedelta(0)

    def test_a_timestamp_alone_is_believed(self) -> None:
        assert self.occurred_at(timestamp="2026-03-10T11:00:00Z") == timedelta(hours=1)

    def test_original_timestamp_stands_in_for_timestamp(self) -> None:
        assert self.occurred_at(originalTimestamp="2026-03-10T11:00:00Z") == timedelta(hours=1)

    def test_sent_at_alone_means_now(self) -> None:
        assert self.occurred_at(sentAt="1970-01-01T00:00:00Z") == timedelta(0)

    def test_a_clock_that_is_a_day_ahead_is_corrected(self) -> None:
        times = {"timestamp": "2026-03-11T11:59:50Z", "sentAt": "2026-03-11T12:00:00Z"}
        assert self.occurred_at(**times) == timedelta(seconds=10)

    def test_a_clock_that_was_never_set_is_corrected(self) -> None:
        times = {"timestamp": "1970-01-01T00:00:01Z", "sentAt": "1970-01-01T00:00:06Z"}
        assert self.occurred_at(**times) == timedelta(seconds=5)

    def test_zones_are_honoured_and_a_missing_one_is_utc(self) -> None:
        assert self.occurred_at(timestamp="2026-03-10T12:30:00+01:30") == timedelta(hours=1)
        InboxItem.objects.all().delete()
        assert self.occurred_at(timestamp="2026-03-10T11:00:00") == timedelta(hours=1)

    def test_the_future_is_cut_to_the_receipt(self) -> None:
        assert self.occurred_at(timestamp="2036-03-10T12:00:00Z") == timedelta(0)

    def test_an_unreadable_sent_at_of_a_batch_corrects_nothing(self) -> None:
        assert self.occurred_at(timestamp="2026-03-10T11:00:00Z", sentAt="soon") == timedelta(hours=1)
