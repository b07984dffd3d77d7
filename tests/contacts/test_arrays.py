"""Arrays that we write ourselves must mean to the database what the driver's would."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from contacts import arrays
from tests.examples import examples

pytestmark = pytest.mark.django_db
_TEXTS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@examples(50)
@given(_TEXTS | st.lists(st.text('",\\{} nulNUL')))
def test_texts_come_back_as_they_were(values: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [arrays.texts(values)])
        assert cursor.fetchone() == (values,)
