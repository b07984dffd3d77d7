"""One file per figure, each measured beside its baseline in the same run: `make bench NAME=intake_single`.

A script is run as `python -m benchmarks.<name>`; importing this package sets Django up, so scripts import
models at their top. `benchmarks.harness` gives them durable servers, a web server and one way to report.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("SEGUE_LOG_LEVEL", "WARNING")
django.setup()
