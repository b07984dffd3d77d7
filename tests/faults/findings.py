# Run inside the stage: prints, as one line of JSON, what the database says of the story.
import json
from collections import Counter

from django.db import connection

from channels.models import Message
from contacts.models import InboxItem
from journeys.models import Run

State = Message.State
with connection.cursor() as cursor:
    cursor.execute(
        "SELECT count(DISTINCT message_id), count(*) - count(DISTINCT message_id)"
        " FROM contacts_event WHERE name = 'Story Told'"
    )
    events, twice = cursor.fetchone()
messages = list(Message.objects.values_list("state", "contact__email", "due_at"))
live = Run.objects.filter(state=Run.State.LIVE)
print(
    json.dumps(
        {
            "events": events,
            "twice": twice,
            "states": Counter(State(state).name for state, _email, _due in messages),
            "accepted": [email for state, email, _due in messages if state == State.ACCEPTED],
            "uncertain": [email for state, email, _due in messages if state == State.UNCERTAIN],
            "unfinished": sum(due is not None for _state, _email, due in messages)
            + InboxItem.objects.count()
            + (events - len(messages)),
            "without_wakeup": live.filter(due_at__isnull=True).count(),
        }
    )
)
