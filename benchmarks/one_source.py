"""The one source that the measurements of intake send for, and the inbox in which its events lie."""

from django.db import connection

from contacts.intake_keys import digest
from contacts.models import InboxItem, Source, SourceKey

KEY = "wk_benchmark_key_of_one_source"
# The quota is counted for each request as always, but out of reach: it is the server's limit that is sought.
VARIABLES = {"SEGUE_INTAKE_RATE": "100000000"}


def make_source() -> None:
    source = Source.objects.create(name="Benchmark", slug="benchmark")
    SourceKey.objects.create(source=source, prefix=KEY[:8], digest=digest(KEY))


def empty_inbox() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE contacts_inboxitem")


def inbox_size() -> int:
    return InboxItem.objects.count()
