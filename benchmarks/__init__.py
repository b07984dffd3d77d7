"""One module for one figure: ``python -m benchmarks.ingest``. Each measures its baseline in the same run."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
