"""Changes of a draft: what they do to the graph, and that no sequence of them breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from channels.models import Audience
from contacts.models import Purpose
from journeys import drafts, graph, library
from journeys.building import edits, forms, picture, populations, sketch
from journeys.building.edits import EditError
from journeys.building.picture import Line
from journeys.building.sketch import START, Edge
from journeys.models import Journey
from journeys.steps import KINDS
from tests.config.backoffice import make_person, signed_in
from tests.examples import examples
from tests.factories import make_template

WAIT = {"type": "wait", "for": "2 days"}
BRANCH = {
    "type": "branch",
    "branches": [{"name": "yes", "if": {"attribute": "country", "op": "is", "value": "FR"}}],
}


def cart() -> dict[str, Any]:
    (found,) = (each.data for each in library.maps() if each.slug == "cart-reminder")
    return found


def places(data: Any) -> list[list[Edge]]:
    """Every place that the picture offers."""
    shown = picture.picture(data)
    found: list[list[Edge]] = []

    def walk(lines: list[Line]) -> None:
        for line in lines:
            if line.kind == "place" and line.place:
                found.append(line.place.edges)
            for way in line.ways:
                walk(way.lines)

    for lines in (shown.main, *shown.loose):
        walk(lines)
    return found


def test_a_step_on_an_edge_stands_between_its_ends() -> None:
    made = edits.insert(cart(), [("day-1", "next")], WAIT, "wait")
    assert made.data["steps"]["day-1"]["next"] == "wait"
    assert made.data["steps"]["wait"]["next"] == "email"


def test_a_branch_lets_all_its_ways_go_on_to_what_followed() -> None:
    made = edits.insert(cart(), [("email", "next")], BRANCH, "branch").data
    assert made["steps"]["branch"]["branches"][0]["next"] == made["steps"]["branch"]["else"] == "day-2"


def test_a_step_below_ways_that_meet_takes_all_of_them() -> None:
    place = [("subscribed", "else"), ("push", "next")]
    made = edits.insert(cart(), place, WAIT, "wait").data
    assert made["steps"]["push"]["next"] == made["steps"]["subscribed"]["else"] == "wait"
    assert made["steps"]["wait"]["next"] == "day-5"


def test_a_step_taken_out_closes_the_gap() -> None:
    made = edits.remove(cart(), "sms")
    assert made.data["steps"]["day-2"]["next"] == "day-3"
    assert made.gone == []


def test_a_branch_taken_out_keeps_the_way_that_was_asked_for() -> None:
    kept = edits.remove(cart(), "subscribed", "branches[0].next")
    assert kept.data["steps"]["day-3"]["next"] == "push"
    gone = edits.remove(cart(), "subscribed")
    assert gone.data["steps"]["day-3"]["next"] == "day-5"
    assert gone.gone == ["push"]


def test_a_branch_moves_with_what_hangs_on_its_ways() -> None:
    assert edits.region(cart(), "subscribed") == {"subscribed", "push"}
    made = edits.move(cart(), "subscribed", [START]).data
    assert made["start"] == "subscribed"
    assert made["steps"]["push"]["next"] == made["steps"]["subscribed"]["else"] == "day-1"
    assert made["steps"]["day-3"]["next"] == "day-5"


def test_a_branch_does_not_move_into_its_own_way() -> None:
    with pytest.raises(EditError):
        edits.move(cart(), "subscribed", [("push", "next")])


def test_what_was_copied_is_pasted_under_new_names() -> None:
    clipped = json.loads(json.dumps(edits.clip(cart(), "subscribed")))
    made = edits.paste(cart(), [("email", "next")], clipped)
    assert made.look == "subscribed-2"
    assert made.data["steps"]["push-2"]["next"] == "day-2"
    assert graph.check(made.data)[1] == []


def test_a_renamed_step_is_still_reached() -> None:
    made = edits.rename(cart(), "day-1", "first wait").data
    assert made["start"] == "first wait"
    with pytest.raises(EditError):
        edits.rename(cart(), "day-1", "email")


def test_a_way_that_is_removed_takes_the_steps_that_only_it_reached() -> None:
    made = edits.change_way(cart(), "subscribed", "branches", 0, "remove")
    assert made.gone == ["push"]
    assert edits.change_way(cart(), "subscribed", "branches", 0, "add").data["steps"]["subscribed"][
        "branches"
    ][1] == {
        "name": "way 2",
        "next": "day-5",
    }


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_of_step_can_be_added_and_its_form_gives_back_what_it_was_given(kind: str) -> None:
    example = {"type": kind, **KINDS[kind].example}
    made = edits.insert(cart(), [("email", "next")], example, "new")
    assert made.look in sketch.sketch(made.data)
    empty = QueryDict(mutable=True)
    assert forms.read(KINDS[kind].form, empty, example) == example


def test_ways_are_counted_by_the_first_rule_that_holds() -> None:
    (first, rule), (last, other) = populations.ways(cart(), "willing")
    assert (first, last) == ("branches[0].next", "else")
    assert rule["all"][0] == {"event": "Product Added", "within": "30 days"}
    assert other["all"][1] == {"not": rule["all"][1]}


def test_a_loose_piece_that_led_to_what_is_taken_out_ends_there() -> None:
    looped = edits.insert(cart(), [("", "start")], WAIT, "new").data
    looped = edits.connect(looped, ("day-1", "next"), "day-2").data
    cut = edits.remove(looped, "day-1", "else").data
    assert not any("no step is named" in each.message for each in graph.check(cut)[1])


ACTS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda data, pick: (
        edits.insert(data, pick(places(data)), pick([WAIT, BRANCH, {"type": "exit"}]), "new").data
    ),
    lambda data, pick: edits.remove(data, pick(sorted(data["steps"])), pick(["", "else"])).data,
    lambda data, pick: edits.move(data, pick(sorted(data["steps"])), pick(places(data))).data,
    lambda data, pick: (
        edits.paste(data, pick(places(data)), edits.clip(data, pick(sorted(data["steps"])))).data
    ),
    lambda data, pick: edits.connect(data, pick(places(data))[0], pick([None, *sorted(data["steps"])])).data,
)


@examples(25)
@given(st.data())
def test_whatever_is_done_every_step_is_drawn_once_and_no_way_leads_nowhere(data: st.DataObject) -> None:
    draft: Any = cart()

    def pick(options: Any) -> Any:
        return data.draw(st.sampled_from(options))

    for act in data.draw(st.lists(st.sampled_from(ACTS), max_size=5)):
        if not draft["steps"]:
            break
        try:
            draft = act(draft, pick)
        except EditError:
            continue
    names = [name for _depth, name, _words in picture.in_words(draft, sketch.sketch(draft)) if name]
    assert sorted(names) == sorted(draft["steps"])
    problems = [each.message for each in graph.check(draft)[1]]
    assert not any("no step is named" in each for each in problems if draft["steps"])


@pytest.fixture
def boss(db: None) -> Client:
    return signed_in(make_person("boss", superuser=True))


@pytest.fixture
def journey(db: None) -> Journey:
    Purpose.objects.get_or_create(slug="offers", defaults={"name": "Offers"})
    Audience.objects.get_or_create(slug="cart-abandoners", defaults={"name": "Cart abandoners"})
    for slug, channel in (("cart-reminder-email", "email"), ("cart-code-sms", "sms"), ("cart-push", "push")):
        make_template(slug, channel)
    return Journey.objects.create(name="Cart", slug="cart", draft=cart())


def change(client: Client, journey: Journey, revision: str = "", **asked: Any) -> Any:
    journey.refresh_from_db()
    sent = {"asked": json.dumps(asked), "revision": revision or drafts.revision(journey.draft)}
    return client.post(reverse("admin:journeys_journey_build_change", args=[journey.pk]), sent)


def test_a_change_is_kept_and_answered_with_the_new_picture(boss: Client, journey: Journey) -> None:
    answer = change(boss, journey, act="remove", step="sms")
    assert answer.status_code == 200
    journey.refresh_from_db()
    assert "sms" not in journey.draft["steps"]
    assert answer.json()["revision"] == drafts.revision(journey.draft)
    assert "node-sms" not in answer.json()["flow"]


def test_a_change_of_an_older_draft_is_refused_with_the_newer_one(boss: Client, journey: Journey) -> None:
    before = drafts.revision(journey.draft)
    change(boss, journey, act="remove", step="sms")
    answer = change(boss, journey, before, act="remove", step="email")
    assert answer.status_code == 409
    assert answer.json()["by"] == "boss"
    journey.refresh_from_db()
    assert "email" in journey.draft["steps"]


def test_problems_are_told_at_the_step_with_the_name_of_its_field(boss: Client, journey: Journey) -> None:
    answer = change(boss, journey, act="insert", kind="send", place=[["day-1", "next"]]).json()
    told = {problem["words"] for problem in answer["problems"]["send"]}
    assert "Purpose: is missing" in told


def test_the_form_of_each_step_of_the_library_is_drawn(boss: Client, journey: Journey) -> None:
    for step in ["", *journey.draft["steps"]]:
        answer = boss.get(reverse("admin:journeys_journey_build_panel", args=[journey.pk]), {"step": step})
        assert answer.status_code == 200, step
    for name in ("build", "build_words", "build_state"):
        assert boss.get(reverse(f"admin:journeys_journey_{name}", args=[journey.pk])).status_code == 200


def test_who_may_only_look_does_not_build(journey: Journey) -> None:
    watcher = signed_in(make_person("watcher"))
    assert change(watcher, journey, act="remove", step="sms").status_code == 403
