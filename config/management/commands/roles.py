"""`manage.py roles`: the roles and their permissions, after an upgrade. `up` does it by itself."""

from typing import Any

from django.core.management.base import BaseCommand

from config import roles


class Command(BaseCommand):
    help = "Make missing roles and give each its permissions."

    def handle(self, *args: Any, **options: Any) -> None:
        roles.ensure()
        self.stdout.write(f"Roles: {', '.join([*roles.TABLE, roles.ADMIN])}")
