import pytest
from django.urls import reverse

from config import roles
from tests.config.backoffice import make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("page", "field"),
    [("contacts_suppression_changelist", "reason"), ("contacts_segment_overlap", "segment")],
)
def test_a_nul_character_in_an_address_is_a_wrong_request_and_no_fault_of_ours(page: str, field: str) -> None:
    officer = signed_in(make_person("pia", role=roles.PRIVACY))
    answer = officer.get(reverse(f"admin:{page}"), {field: "a\0b"})
    assert answer.status_code == 400
    assert "cannot be read" in answer.content.decode()
