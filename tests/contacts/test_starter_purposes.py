import pytest

from contacts import starter_purposes
from contacts.models import Purpose

pytestmark = pytest.mark.django_db


def test_a_new_installation_starts_with_purposes_in_two_languages() -> None:
    assert starter_purposes.load() == 3
    assert all(purpose.name and purpose.name_fr for purpose in Purpose.objects.all())


def test_a_purpose_that_somebody_deleted_does_not_come_back() -> None:
    starter_purposes.load()
    Purpose.objects.get(slug="news").delete()
    assert starter_purposes.load() == 0
