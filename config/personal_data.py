"""What the packages we build on keep about people. Their tables are about the team, but for one."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.privacy.inventory import Impersonal, Table
from contacts.privacy.inventory_kinds import Act, Basis, Kind

_STAFF = "accounts of the team, kept as long as somebody works here"

PEOPLE: tuple[Table, ...] = (
    Table(
        "admin.LogEntry",
        {Kind.PROOF: "action_flag change_message", Kind.PROFILE: "object_repr", Kind.TECHNICAL: "object_id"},
        Act.ANONYMISE,
        find="t.object_id = ANY(%(contacts)b::int8[]::text[]) AND t.content_type_id IN"
        " (SELECT id FROM django_content_type WHERE app_label = 'contacts' AND model = 'contact')"
        " OR EXISTS (SELECT FROM unnest(%(values)b::text[]) AS v WHERE length(v) > 5"
        " AND (strpos(lower(t.object_repr), lower(v)) > 0 OR strpos(lower(t.change_message), lower(v)) > 0))",
        change="object_repr = 'erased', object_id = NULL, change_message = ''",
        why="Who on the team did what, and when, stays traceable.",
        basis=Basis.OBLIGATION,
        heading=_("What our team did with your data"),
        retention="forever",
    ),
)

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("auth.User", _STAFF),
    Impersonal("auth.Group", "roles"),
    Impersonal("auth.Permission", "permissions"),
    Impersonal("contenttypes.ContentType", "names of tables"),
    Impersonal("sessions.Session", "sessions of the team, twelve hours"),
    Impersonal("account.EmailAddress", _STAFF),
    Impersonal("account.EmailConfirmation", _STAFF),
    Impersonal("mfa.Authenticator", _STAFF),
    *(
        Impersonal(f"django_celery_beat.{name}", "when pulses tick")
        for name in (
            "SolarSchedule",
            "IntervalSchedule",
            "ClockedSchedule",
            "CrontabSchedule",
            "PeriodicTasks",
            "PeriodicTask",
        )
    ),
)
