"""What processes of tests are forked from (see tests.elsewhere): Django, loaded once."""

from importlib import import_module

import django

django.setup()
for app in ("contacts", "channels", "journeys", "analytics"):
    import_module(f"{app}.tasks")
