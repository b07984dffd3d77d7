"""The inventory knows every table and every column, and its texts are SQL that the database takes."""

import pytest
from django.apps import apps
from django.db import connection

from contacts.privacy import people
from contacts.privacy.inventory import Table, inventory, unclassed
from contacts.privacy.inventory_kinds import Act
from tests.factories import NOON, make_contact


def test_every_table_and_every_column_of_every_app_has_a_class() -> None:
    assert unclassed() == [], "declare them in the personal_data module of their app (see how-to/privacy.md)"


def test_a_declaration_names_only_what_exists() -> None:
    for table in inventory().people:
        columns = {one.column for one in apps.get_model(table.model)._meta.concrete_fields}
        assert table.classed().keys() <= columns, table.model
        assert set(table.left_out.split()) <= columns, table.model
        assert not table.since or table.since in columns, table.model


@pytest.mark.parametrize("table", inventory().people, ids=lambda table: table.model)
def test_what_is_kept_says_why_and_what_is_made_anonymous_says_how(table: Table) -> None:
    assert bool(table.change) == (table.act is Act.ANONYMISE)
    assert bool(table.why) == (table.act is not Act.DELETE)
    assert table.heading


@pytest.mark.django_db
@pytest.mark.parametrize("table", inventory().people, ids=lambda table: table.model)
def test_the_database_takes_each_condition(table: Table) -> None:
    somebody = people.known([make_contact().pk])
    assert people.count(table, somebody, NOON) >= 0


@pytest.mark.django_db
def test_tables_that_follow_their_contact_are_found_by_it() -> None:
    """A table with slot and contact_id that nobody declared as a person's would survive an erasure."""
    declared = {table.name for table in inventory().people}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND column_name = 'contact_id' AND table_name NOT SIMILAR TO '%%_p[0-9]{6}|%%_default'"
        )
        assert {row[0] for row in cursor.fetchall()} <= declared
