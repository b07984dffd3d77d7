import pytest

from channels import policy_zones
from channels.charter_rules import Charter

EVERY = Charter(default_zone="Europe/Paris")
DEFAULT = Charter(unknown_zone="default", default_zone="Europe/Paris")


@pytest.mark.parametrize(
    ("timezone", "country", "phone", "zones"),
    [
        ("Asia/Tokyo", "FR", "", ("Asia/Tokyo",)),
        ("", "JP", "", ("Asia/Tokyo",)),
        ("", "jp", "", ("Asia/Tokyo",)),
        ("", "", "+33612345678", ("Europe/Paris",)),
        ("Nowhere/Land", "JP", "", ("Asia/Tokyo",)),
        ("", "", "", ("Europe/Paris",)),
        ("", "XX", "nonsense", ("Europe/Paris",)),
    ],
)
def test_where_somebody_is(timezone: str, country: str, phone: str, zones: tuple[str, ...]) -> None:
    assert policy_zones.candidates(timezone, country, phone, EVERY) == zones


def test_a_wide_country_has_every_zone_whose_clock_differs() -> None:
    zones = policy_zones.candidates("", "US", "", EVERY)
    assert {"America/Boise", "America/Chicago", "America/Phoenix", "Pacific/Honolulu"} <= set(zones)
    assert len(zones) < 12


def test_the_default_zone_decides_where_the_charter_says_so() -> None:
    assert policy_zones.candidates("", "US", "", DEFAULT) == ("Europe/Paris",)
    assert policy_zones.candidates("Asia/Tokyo", "US", "", DEFAULT) == ("Asia/Tokyo",)
