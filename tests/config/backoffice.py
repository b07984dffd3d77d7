"""The people of the back office's tests: one for each role, signed in on demand."""

from __future__ import annotations

from django.contrib.auth.models import Group, User
from django.test import Client

from config import roles

PASSWORD = "a-long-Password-42"


def make_person(name: str, *, role: str = "", superuser: bool = False, staff: bool = True) -> User:
    person = User.objects.create_user(name, f"{name}@example.com", PASSWORD)
    person.is_staff, person.is_superuser = staff, superuser
    person.save()
    if role:
        roles.ensure()
        person.groups.add(Group.objects.get(name=role))
    return person


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client
