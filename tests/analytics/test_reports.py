from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from analytics import charts, reports
from analytics.models import DailyKpi
from analytics.reports import Period
from channels.models import EngagementTotal
from tests.factories import make_version

pytestmark = pytest.mark.django_db

MARCH = Period(date(2026, 3, 1), date(2026, 3, 10))


def kpi(day: int, key: str, count: int, channel: str = "email", month: int = 3) -> None:
    DailyKpi.objects.create(day=date(2026, month, day), kpi=key, channel=channel, count=count)


def test_the_report_adds_up_its_period_and_nothing_else() -> None:
    kpi(1, "sent", 10)
    kpi(10, "sent", 5)
    kpi(11, "sent", 100)
    assert reports.engagement(MARCH).total.counts["sent"] == 15


def test_what_nobody_may_be_named_for_is_told_beside_the_figures_and_once() -> None:
    journey = make_version({"start": "end", "steps": {"end": {"type": "exit"}}}, slug="welcome").journey
    about = {"day": MARCH.first, "channel": "email", "kind": "opened", "actor": "human"}
    by_journey = {**about, "origin_kind": "journey", "origin_slug": "welcome"}
    EngagementTotal.objects.create(**by_journey, hits=3)
    EngagementTotal.objects.create(**by_journey, hits=5, named=True)
    EngagementTotal.objects.create(**{**about, "actor": "scanner"}, hits=40)
    EngagementTotal.objects.create(**{**about, "channel": "sms"}, hits=2)
    kpi(1, "opened", 7)
    report = reports.engagement(MARCH)
    assert (report.total.counts["opened"], report.total.unnamed["opened"]) == (7, 5)
    assert report.by_journey[journey.pk].unnamed["opened"] == 3
    assert reports.engagement(MARCH, "sms").total.unnamed["opened"] == 2
    assert reports.engagement(MARCH, journey_id=journey.pk).total.unnamed["opened"] == 3
    assert [tile.unnamed for tile in charts.tiles(report)][:4] == [0, 0, 5, 0]
    assert "Opens without names" in next(reports.as_csv(report))


def test_the_period_before_has_the_same_length_and_ends_the_day_before() -> None:
    assert MARCH.before == Period(date(2026, 2, 19), date(2026, 2, 28))


def test_the_channel_filter_leaves_only_that_channel() -> None:
    kpi(2, "sent", 10)
    kpi(2, "sent", 4, channel="sms")
    assert reports.engagement(MARCH, "sms").total.counts["sent"] == 4


def test_rates_are_shares_of_what_was_delivered() -> None:
    kpi(2, "delivered", 50)
    kpi(2, "opened", 20)
    assert reports.engagement(MARCH).total.open_rate == pytest.approx(0.4)


def test_a_rate_without_a_whole_is_unknown_and_not_zero() -> None:
    assert reports.engagement(MARCH).total.click_rate is None


def test_no_change_is_shown_against_a_period_that_had_hardly_begun() -> None:
    kpi(28, "sent", 1, month=2)
    kpi(2, "sent", 100)
    assert charts.tiles(reports.engagement(MARCH))[0].change is None


def test_a_change_is_shown_against_a_comparable_period() -> None:
    kpi(28, "sent", 80, month=2)
    kpi(2, "sent", 100)
    assert charts.tiles(reports.engagement(MARCH))[0].change == pytest.approx(0.25)


def test_a_channel_whose_messages_cannot_be_seen_opened_has_no_open_rate() -> None:
    kpi(2, "delivered", 10, channel="sms")
    kpi(2, "delivered", 10)
    rows = charts.comparison(reports.engagement(MARCH).by_channel, {})
    assert {row.name: row.open_rate for row in rows} == {"sms": None, "email": 0.0}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_spreadsheet_takes_no_exported_cell_for_a_formula(cell: str) -> None:
    assert str(reports.harmless(cell)).startswith("'")


@pytest.mark.parametrize(
    "query", ["", "?days=7", "?days=nonsense", "?first=2026-03-09&last=2026-03-01", "?format=csv"]
)
def test_the_page_answers_whatever_the_filters_say(client: Client, query: str) -> None:
    client.force_login(User.objects.create_superuser("alice", password="a long enough one"))
    answer = client.get(reverse("admin:analytics_engagement") + query)
    assert answer.status_code == 200


def test_the_page_is_closed_to_staff_without_the_permission(client: Client) -> None:
    client.force_login(User.objects.create_user("bob", password="a long enough one", is_staff=True))
    assert client.get(reverse("admin:analytics_engagement")).status_code == 403
