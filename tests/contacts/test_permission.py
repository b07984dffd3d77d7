import pytest

from contacts import permission


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        ({}, None),
        ({("email", "offers"): True}, True),
        ({("email", "offers"): False}, False),
        ({("email", "*"): True}, True),
        ({("email", "*"): False}, False),
        ({("email", "*"): True, ("email", "offers"): False}, False),
        ({("email", "*"): False, ("email", "offers"): True}, True),
        ({("sms", "offers"): True, ("email", "news"): True}, None),
    ],
)
def test_the_purpose_itself_is_asked_before_every_purpose(
    consents: dict[tuple[str, str], bool], expected: bool | None
) -> None:
    assert permission.of(consents, "email", "offers") is expected
