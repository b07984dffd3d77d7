"""Every setting of the charter changes what happens: one test each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels import charter_rules, policy, policy_arbitration
from channels.charter_rules import CharterError
from channels.policy_facts import DROP, HOLD, SEND, Planned, Touch, Verdict
from channels.policy_places import Place
from tests.channels.policy_cases import NOW, alice, facts, offer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def sent(hours_ago: float, channel: str = "email", purpose: str = "offers", **values: Any) -> Touch:
    return Touch(channel, purpose, NOW - hours_ago * HOUR, **values)


def decide(charter: dict[str, Any], **values: Any) -> Verdict:
    return policy.decide(facts(charter, **values))


def test_caps_limit() -> None:
    touches = [sent(1), sent(2)]
    assert decide({"caps": [{"limit": 2, "rolling": "1 day"}]}, touches=touches).reason == "cap"
    assert decide({"caps": [{"limit": 3, "rolling": "1 day"}]}, touches=touches).action == SEND


def test_caps_rolling() -> None:
    verdict = decide({"caps": [{"limit": 1, "rolling": "5 hours"}]}, touches=[sent(1)])
    assert (verdict.action, verdict.until) == (HOLD, NOW + 4 * HOUR)
    assert decide({"caps": [{"limit": 1, "rolling": "1 hour"}]}, touches=[sent(1)]).action == SEND


@pytest.mark.parametrize(
    ("unit", "until"),
    [("day", "2026-03-10T23:00"), ("week", "2026-03-15T23:00"), ("month", "2026-03-31T22:00")],
)
def test_caps_calendar(unit: str, until: str) -> None:
    verdict = decide({"caps": [{"limit": 1, "calendar": unit}]}, touches=[sent(1)])
    assert verdict.until is not None
    assert verdict.until.isoformat()[:16] == until


def test_caps_zone() -> None:
    touches = [sent(12.5)]  # 23:30 UTC yesterday, 00:30 today in Paris
    cap = {"limit": 1, "calendar": "day"}
    assert decide({"caps": [cap]}, touches=touches).action == HOLD
    assert decide({"caps": [{**cap, "zone": "UTC"}]}, touches=touches).action == SEND


def test_caps_channels() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "1 day", "channels": ["sms"]}]}
    assert decide(charter, touches=[sent(1, "sms")]).action == SEND
    assert decide(charter, touches=[sent(1)], candidate=offer(wanted=("sms",))).action == SEND
    assert decide(charter, touches=[sent(1, "sms")], candidate=offer(wanted=("sms",))).action == HOLD


def test_caps_purposes() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "1 day", "purposes": ["news"]}]}
    assert decide(charter, touches=[sent(1, purpose="news")]).action == SEND
    verdict = decide(charter, touches=[sent(1, purpose="news")], candidate=offer(purpose="news"))
    assert verdict.action == HOLD


def test_caps_count_transactional() -> None:
    cap = {"limit": 1, "rolling": "1 day"}
    touches = [sent(1, transactional=True)]
    assert decide({"caps": [cap]}, touches=touches).action == SEND
    assert decide({"caps": [{**cap, "count_transactional": True}]}, touches=touches).action == HOLD


def test_caps_name() -> None:
    verdict = decide({"caps": [{"name": "gentle", "limit": 1, "rolling": "1 day"}]}, touches=[sent(1)])
    assert [entry[2]["name"] for entry in verdict.trace or [] if entry[0] == "cap"] == ["gentle"]


def test_caps_tags() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "1 day", "tags": ["promo"]}]}
    before = [sent(1, tags=frozenset({"promo", "summer"}))]
    tagged = offer(tags={"email": frozenset({"promo"}), "sms": frozenset({"other"})})
    assert decide(charter, touches=before).action == SEND
    assert decide(charter, touches=before, candidate=tagged).action == HOLD
    assert decide(charter, touches=[sent(1, tags=frozenset({"other"}))], candidate=tagged).action == SEND


def test_caps_bands() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "1 day", "bands": ["low"]}]}
    assert decide(charter, touches=[sent(1)], person=alice(band="low")).action == HOLD
    assert decide(charter, touches=[sent(1)], person=alice(band="high")).action == SEND


def test_caps_wait() -> None:
    """What would have to wait longer takes its next channel, or is not sent; from when it was first held."""
    cap = {"limit": 1, "rolling": "5 hours", "channels": ["email"]}
    for wait, action in (("4 hours", HOLD), ("3 hours", DROP), ("0 minutes", DROP)):
        verdict = decide({"caps": [{**cap, "wait": wait}]}, touches=[sent(1)])
        assert (verdict.action, verdict.reason) == (action, "cap")
    patient = {"caps": [{**cap, "wait": "4 hours"}]}
    assert decide(patient, touches=[sent(1)], candidate=offer(held_since=NOW - HOUR)).action == DROP
    rerouted = decide(
        {"caps": [{**cap, "wait": "1 hour"}]}, touches=[sent(1)], candidate=offer(wanted=("email", "sms"))
    )
    assert (rerouted.action, rerouted.channel) == (SEND, "sms")


def test_several_caps_all_hold() -> None:
    charter = {"caps": [{"limit": 1, "rolling": "2 hours"}, {"limit": 1, "rolling": "9 hours"}]}
    assert decide(charter, touches=[sent(1)]).until == NOW + 8 * HOUR


def test_spacing_one_a_day() -> None:
    verdict = decide({"spacing": {"one_a_day": True}}, touches=[sent(12.5, "sms")])
    assert (verdict.action, verdict.reason) == (HOLD, "spacing")
    assert verdict.until == NOW.replace(hour=23)  # midnight in Paris
    assert decide({"spacing": {"one_a_day": False}}, touches=[sent(12.5, "sms")]).action == SEND


def test_one_a_day_holds_in_every_zone_that_a_person_may_be_in() -> None:
    person = alice(zones=("Europe/Paris", "America/New_York"))
    touches = [sent(13.5)]  # yesterday in Paris, today's date there differs; same day in neither or one
    verdict = policy.decide(facts({"spacing": {"one_a_day": True}}, person=person, touches=touches))
    assert verdict.action == SEND
    late = facts({"spacing": {"one_a_day": True}}, person=person, touches=[sent(12.5)])
    assert policy.decide(late).action == HOLD


def test_spacing_apart() -> None:
    verdict = decide({"spacing": {"apart": "4 hours"}}, touches=[sent(1, "push")])
    assert (verdict.reason, verdict.until) == ("spacing", NOW + 3 * HOUR)


QUIET = {"channels": ["sms"], "from": "12:30", "to": "14:00"}


def test_quiet_hours_from_and_to() -> None:
    verdict = decide({"quiet_hours": [QUIET]}, candidate=offer(wanted=("sms",)))
    assert (verdict.reason, verdict.until) == ("quiet_hours", NOW + HOUR)
    early = {**QUIET, "to": "13:00"}
    assert decide({"quiet_hours": [early]}, candidate=offer(wanted=("sms",))).action == SEND


def test_quiet_hours_channels() -> None:
    assert decide({"quiet_hours": [QUIET]}).action == SEND
    assert decide({"quiet_hours": [{**QUIET, "channels": ["email"]}]}).action == HOLD


def test_quiet_hours_days() -> None:
    for day, action in (("tuesday", HOLD), ("wednesday", SEND)):
        charter = {"quiet_hours": [{**QUIET, "days": [day]}]}
        assert decide(charter, candidate=offer(wanted=("sms",))).action == action


SMS = offer(wanted=("sms",))


def test_laws_pack() -> None:
    """22:30 in Tallahassee: too late for Florida, and for all of the States, but nothing to Canada."""
    late = datetime(2026, 3, 11, 2, 30, tzinfo=UTC)
    florida = alice(place=Place("US", "US", "FL"), zones=("America/New_York",))
    for pack, action in (("us", HOLD), ("ca", SEND)):
        verdict = decide({"laws": [{"pack": pack}]}, candidate=SMS, person=florida, now=late)
        assert verdict.action == action
    assert decide({"laws": [{"pack": "us"}]}, candidate=offer(), person=florida, now=late).action == SEND


def test_laws_variant() -> None:
    evening = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # 21:00 in Paris
    person = alice(place=Place("FR", "FR"))
    for variant, action in (("until 20:00", HOLD), ("until 22:00", SEND)):
        charter = {"laws": [{"pack": "fr", "variant": variant}]}
        assert decide(charter, candidate=SMS, person=person, now=evening).action == action


TODAY = {"from": "2026-03-10", "to": "2026-03-11"}


def test_blackouts_from_and_to() -> None:
    verdict = decide({"blackouts": [{**TODAY, "name": "sale"}]})
    assert (verdict.reason, verdict.until) == ("blackout", datetime(2026, 3, 11, 23, tzinfo=UTC))
    assert [line[2]["name"] for line in verdict.trace or [] if line[0] == "blackout"] == ["sale"]
    assert decide({"blackouts": [{"from": "2026-03-11", "to": "2026-03-12"}]}).action == SEND


def test_blackouts_every_year() -> None:
    past = {"from": "2024-03-09", "to": "2024-03-10"}
    assert decide({"blackouts": [past]}).action == SEND
    assert decide({"blackouts": [{**past, "every_year": True}]}).action == HOLD
    over_new_year = {"from": "2024-12-20", "to": "2025-03-20", "every_year": True}
    assert decide({"blackouts": [over_new_year]}).action == HOLD


def test_blackouts_name() -> None:
    verdict = decide({"blackouts": [{**TODAY, "name": "inventory"}]})
    assert any(line[2].get("name") == "inventory" for line in verdict.trace or [])


def test_blackouts_channels_purposes_and_tags() -> None:
    for about, action in (
        ({"channels": ["sms"]}, SEND),
        ({"channels": ["email"]}, HOLD),
        ({"purposes": ["news"]}, SEND),
        ({"purposes": ["offers"]}, HOLD),
        ({"tags": ["promo"]}, SEND),
    ):
        assert decide({"blackouts": [{**TODAY, **about}]}).action == action


def test_blackouts_countries() -> None:
    charter = {"blackouts": [{**TODAY, "countries": ["FR"]}]}
    for country, action in (("FR", HOLD), ("BE", SEND), ("", HOLD)):
        assert decide(charter, person=alice(place=Place(country))).action == action


CHRISTMAS = datetime(2026, 12, 25, 12, tzinfo=UTC)


def test_holidays_countries() -> None:
    for place, countries, action in (
        (Place("FR"), [], HOLD),
        (Place("JP"), [], SEND),
        (Place("FR"), ["DE"], SEND),
        (Place(""), ["DE"], HOLD),  # who may be anywhere may be in Germany
        (Place(""), [], HOLD),  # whose zone is that of Paris is taken to be in France
    ):
        verdict = decide({"holidays": [{"countries": countries}]}, person=alice(place=place), now=CHRISTMAS)
        assert verdict.action == action, (place, countries)


def test_holidays_channels_purposes_and_tags() -> None:
    person = alice(place=Place("FR"))
    for about, action in (
        ({"channels": ["sms"]}, SEND),
        ({"purposes": ["offers"]}, HOLD),
        ({"tags": ["x"]}, SEND),
    ):
        assert decide({"holidays": [about]}, person=person, now=CHRISTMAS).action == action


def test_combinations_channels_purposes_and_tags() -> None:
    for one, action in (
        ({"channels": ["email"], "purposes": ["offers"]}, DROP),
        ({"channels": ["sms"], "purposes": ["offers"]}, SEND),
        ({"purposes": ["news"]}, SEND),
        ({"tags": ["promo"]}, SEND),
    ):
        assert decide({"combinations": [one]}).action == action
    verdict = decide({"combinations": [{"channels": ["email"]}]}, candidate=offer(wanted=("email", "sms")))
    assert (verdict.action, verdict.channel) == (SEND, "sms")


def test_combinations_with_and_apart() -> None:
    rule = {"purposes": ["offers"], "with": {"purposes": ["survey"]}, "apart": "3 days"}
    verdict = decide({"combinations": [rule]}, touches=[sent(24, purpose="survey")])
    assert (verdict.reason, verdict.until) == ("combination", NOW + 2 * DAY)
    assert decide({"combinations": [rule]}, touches=[sent(24, purpose="news")]).action == SEND
    assert (
        decide({"combinations": [{**rule, "apart": "1 day"}]}, touches=[sent(24, purpose="survey")]).action
        == SEND
    )


def ranked(rule: dict[str, Any], **person: Any) -> list[int]:
    """In which order two messages come under a rule of priorities: 1 about offers, 2 about news."""
    charter = charter_rules.parse({"priorities": [rule]})
    both = [offer(1), offer(2, purpose="news")]
    return [rank.candidate.id for rank in policy_arbitration.arrange(both, alice(**person), charter, NOW)]


def test_priorities_add_and_purposes() -> None:
    assert ranked({"add": 10, "purposes": ["offers"]}) == [1, 2]
    assert ranked({"add": 10, "purposes": ["news"]}) == [2, 1]
    assert ranked({"add": -10, "purposes": ["offers"]}) == [2, 1]


def test_priorities_segments() -> None:
    rule = {"add": 10, "purposes": ["news"], "segments": ["regulars"]}
    assert ranked(rule) == [1, 2]
    assert ranked(rule, segments=frozenset({"regulars"})) == [2, 1]


def test_time_patience() -> None:
    """Who has waited for longer than that goes before better ones."""
    old = offer(2, priority=1, held_since=NOW - 3 * DAY)
    for patience, first in (("2 days", 2), ("4 days", 1)):
        charter = charter_rules.parse({"time": {"patience": patience}})
        assert policy_arbitration.arrange([offer(1), old], alice(), charter, NOW)[0].candidate.id == first


def test_channels_roles() -> None:
    charter = {"channels": {"roles": [{"channel": "email", "purposes": ["news"]}]}}
    verdict = decide(charter)
    assert (verdict.action, verdict.reason) == (DROP, "role")
    assert decide(charter, candidate=offer(purpose="news")).action == SEND
    assert decide(charter, candidate=offer(transactional=True)).action == SEND
    assert decide(charter, candidate=offer(wanted=("email", "sms"))).channel == "sms"


def test_redundancy_ahead() -> None:
    planned = [Planned(9, "email", NOW + 5 * HOUR)]
    for ahead, action in (("4 hours", SEND), ("6 hours", DROP)):
        charter = {"redundancy": [{"drop": "push", "when": "email", "ahead": ahead}]}
        assert decide(charter, candidate=offer(wanted=("push",)), planned=planned).action == action


def test_redundancy_behind() -> None:
    for behind, action in (("1 hour", SEND), ("3 hours", DROP)):
        charter = {"redundancy": [{"drop": "push", "when": "email", "behind": behind}]}
        assert decide(charter, candidate=offer(wanted=("push",)), touches=[sent(2)]).action == action


def test_redundancy_drop_and_when() -> None:
    charter = {"redundancy": [{"drop": "sms", "when": "push", "ahead": "1 day"}]}
    planned = [Planned(9, "push", NOW)]
    verdict = decide(charter, candidate=offer(wanted=("sms", "email")), planned=planned)
    assert (verdict.action, verdict.channel) == (SEND, "email")


def test_channels_order() -> None:
    charter = {"channels": {"order": ["sms"]}}
    assert decide(charter).reason == "no_channel"
    assert decide(charter, candidate=offer(wanted=("email", "sms"))).channel == "sms"


def test_channels_order_by() -> None:
    candidate = offer(wanted=("email", "sms"))
    channels = {"order": ["sms", "email"]}
    assert decide({"channels": channels}, candidate=candidate).channel == "email"
    assert decide({"channels": {**channels, "order_by": "charter"}}, candidate=candidate).channel == "sms"


def test_channels_fallback() -> None:
    charter: dict[str, Any] = {"caps": [{"limit": 1, "rolling": "1 day", "channels": ["email"]}]}
    candidate = offer(wanted=("email", "sms"))
    assert decide(charter, candidate=candidate, touches=[sent(1)]).action == HOLD
    charter["channels"] = {"fallback": "held"}
    verdict = decide(charter, candidate=candidate, touches=[sent(1)])
    assert (verdict.action, verdict.channel) == (SEND, "sms")


def test_consent_unasked() -> None:
    assert decide({}, person=alice(consents={})).action == DROP
    assert decide({"consent": {"unasked": "allow"}}, person=alice(consents={})).action == SEND


def test_time_jitter() -> None:
    charter = {"quiet_hours": [QUIET], "time": {"jitter": "20 minutes"}}
    ends = {
        policy.decide(facts(charter, candidate=offer(wanted=("sms",)), person=alice(contact_id=i))).until
        for i in range(50)
    }
    assert len(ends) > 30
    assert all(end and NOW + HOUR <= end <= NOW + HOUR + timedelta(minutes=20) for end in ends)


def test_the_default_charter_is_sound() -> None:
    assert charter_rules.lint(charter_rules.DEFAULT) == []


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ([], "charter"),
        ({"capps": []}, "capps"),
        ({"caps": {}}, "caps"),
        ({"caps": [{"limit": -1, "rolling": "1 day"}]}, "caps.0.limit"),
        ({"caps": [{"limit": True, "rolling": "1 day"}]}, "caps.0.limit"),
        ({"caps": [{"limit": 1}]}, "caps.0"),
        ({"caps": [{"limit": 1, "rolling": "1 day", "calendar": "day"}]}, "caps.0"),
        ({"caps": [{"limit": 1, "rolling": "soon"}]}, "caps.0.rolling"),
        ({"caps": [{"limit": 1, "rolling": "900 days"}]}, "caps.0.rolling"),
        ({"caps": [{"limit": 1, "calendar": "year"}]}, "caps.0.calendar"),
        ({"caps": [{"limit": 1, "calendar": "day", "zone": "Paris"}]}, "caps.0.zone"),
        ({"caps": [{"limit": 1, "calendar": "day", "channels": ["fax"]}]}, "caps.0.channels"),
        ({"caps": [{"limit": 1, "calendar": "day", "purposes": "news"}]}, "caps.0.purposes"),
        ({"spacing": {"one_a_day": "yes"}}, "spacing.one_a_day"),
        ({"quiet_hours": [{"from": "8pm", "to": "08:00"}]}, "quiet_hours.0.from"),
        ({"quiet_hours": [{"from": "20:00", "to": 8}]}, "quiet_hours.0.to"),
        ({"quiet_hours": [{"from": "20:00", "to": "08:00", "days": ["someday"]}]}, "quiet_hours.0.days"),
        ({"redundancy": [{"drop": "push", "when": "push", "ahead": "1 day"}]}, "redundancy.0"),
        ({"channels": {"order_by": "mood"}}, "channels.order_by"),
        ({"time": {"default_zone": 5}}, "time.default_zone"),
        ({"time": {"jitter": []}}, None),
        ({"time": {"jitter": "long"}}, "time.jitter"),
        ({"time": {"patience": "200 days"}}, "time.patience"),
        ({"caps": [{"limit": 1, "calendar": "day", "bands": ["keen"]}]}, "caps.0.bands"),
        ({"engagement": {"bands": ["a", "b"], "unknown": "c"}}, "engagement.unknown"),
        ({"laws": [{"pack": "atlantis"}]}, "laws.0.pack"),
        ({"laws": [{"pack": "fr", "variant": "always"}]}, "laws.0.variant"),
        ({"blackouts": [{"from": "2026-12-26", "to": "2026-12-24"}]}, "blackouts.0.to"),
        ({"blackouts": [{"from": "soon", "to": "2026-12-24"}]}, "blackouts.0.from"),
        ({"blackouts": [{**TODAY, "countries": ["France"]}]}, "blackouts.0.countries"),
        ({"blackouts": [{"from": "2024-01-01", "to": "2026-01-01", "every_year": True}]}, "blackouts.0.to"),
        ({"holidays": [{"channels": ["fax"]}]}, "holidays.0.channels"),
        ({"combinations": [{}]}, "combinations.0"),
        ({"combinations": [{"tags": ["a"], "apart": "1 day"}]}, "combinations.0.apart"),
        ({"combinations": [{"tags": ["a"], "with": {}}]}, "combinations.0.apart"),
        (
            {"combinations": [{"tags": ["a"], "with": {"tag": "b"}, "apart": "1 day"}]},
            "combinations.0.with.tag",
        ),
        ({"priorities": [{"add": 5}]}, "priorities.0"),
        ({"priorities": [{"add": 500, "purposes": ["news"]}]}, "priorities.0.add"),
        ({"channels": {"order": ["email", "email"]}}, "channels.order"),
        ({"channels": {"roles": [{"channel": "email"}]}}, "channels.roles.0.purposes"),
        ({"tone": {"capitals": 101}}, "tone.capitals"),
        ({"tone": {"exclamations": "few"}}, "tone.exclamations"),
        ({"tone": {"forbidden": "now"}}, "tone.forbidden"),
        ({"tone": {"required": [{"channel": "email", "part": " "}]}}, "tone.required.0.part"),
    ],
)
def test_a_mistake_is_named_by_its_path(data: Any, path: str | None) -> None:
    if path is None:
        charter_rules.parse(data)
        return
    with pytest.raises(CharterError) as caught:
        charter_rules.parse(data)
    assert path in [problem.path for problem in caught.value.problems]


def test_doubts_are_warnings() -> None:
    doubtful = {
        "caps": [{"limit": 0, "rolling": "1 day"}],
        "quiet_hours": [{"channels": ["sms"], "from": "09:00", "to": "09:00"}],
        "channels": {"order": ["email", "sms"]},
    }
    found = charter_rules.lint(doubtful)
    assert [problem.path for problem in found] == [
        "caps.0.limit",
        "quiet_hours",
        "channels.order",
        "channels.order",
    ]
    assert all(problem.warning for problem in found)


def test_a_cap_that_never_matters_is_doubted() -> None:
    caps = [
        {"limit": 4, "rolling": "1 day"},
        {"limit": 3, "rolling": "7 days"},
        {"limit": 9, "calendar": "day"},
    ]
    assert [problem.path for problem in charter_rules.lint({"caps": caps})] == ["caps.0"]


SETTINGS = [
    *(f"caps[].{name}" for name in ("name", "limit", "rolling", "calendar", "zone", "channels", "purposes")),
    *(
        "caps[].tags",
        "caps[].bands",
        "caps[].wait",
        "caps[].count_transactional",
        "spacing.one_a_day",
        "spacing.apart",
    ),
    *(f"engagement.{name}" for name in ("source", "bands", "unknown")),
    *("laws[].pack", "laws[].variant", "blackouts[].from", "blackouts[].name", "blackouts[].every_year"),
    *(f"blackouts[].{name}" for name in ("channels", "countries")),
    *("holidays[].countries", "holidays[].channels"),
    *("combinations[].channels", "combinations[].with"),
    *("priorities[].add", "priorities[].segments"),
    *(f"tone.{name}" for name in ("forbidden", "capitals", "exclamations", "required")),
    *("quiet_hours[].from", "quiet_hours[].channels", "quiet_hours[].days"),
    *("redundancy[].drop", "redundancy[].ahead", "redundancy[].behind"),
    *("channels.order", "channels.order_by", "channels.fallback", "channels.roles", "consent.unasked"),
    *("time.unknown_zone", "time.default_zone", "time.jitter", "time.patience"),
    *(f"smart.{name}" for name in ("channel", "time", "within", "explore", "control")),
]
#: These say who somebody is, so they are tested where people are loaded; and those of tone with templates,
#: those of smart choice in a file of their own.
ELSEWHERE = {"time.unknown_zone", "time.default_zone"}
ELSEWHERE |= {setting for setting in SETTINGS if setting.startswith(("tone.", "engagement.", "smart."))}
#: Tested together with the setting that they belong to.
PARTNERS = {"quiet_hours[].to", "redundancy[].when", "blackouts[].to", "combinations[].apart"}
PARTNERS |= {
    f"{rule}[].{name}" for rule in ("blackouts", "holidays", "combinations") for name in ("purposes", "tags")
}
PARTNERS |= {"priorities[].purposes"}


def test_every_setting_has_a_test_and_a_line_in_the_docs() -> None:
    tests = [name for name in globals() if name.startswith("test_")]
    document = (Path(__file__).resolve().parents[2] / "docs/how-to/charter.md").read_text(encoding="utf-8")
    for setting in SETTINGS:
        name = "test_" + setting.replace("[]", "").replace(".", "_")
        assert setting in ELSEWHERE or any(test.startswith(name) for test in tests), setting
        assert f"`{setting}`" in document, setting


def test_the_list_of_settings_is_whole() -> None:
    """A setting that is read but not listed would lack its test: the reader's error names what it knows."""
    known: set[str] = set()
    nonsense = {
        "caps": [{"?": 1}],
        "quiet_hours": [{"?": 1}],
        "redundancy": [{"?": 1}],
        **{part: [{"?": 1}] for part in ("laws", "blackouts", "holidays", "combinations", "priorities")},
        **{
            part: {"?": 1}
            for part in ("spacing", "channels", "consent", "time", "engagement", "tone", "smart")
        },
    }
    for problem in charter_rules.lint(nonsense):
        if problem.path.endswith("?"):
            names = problem.message.partition("known are ")[2].split(", ")
            prefix = problem.path[:-1].replace(".0.", "[].")
            known |= {prefix + name for name in names}
    assert known - set(SETTINGS) == PARTNERS
    assert {path.partition(".")[0].partition("[")[0] for path in known} == set(charter_rules.PARTS)
