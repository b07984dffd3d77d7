"""Roles as groups: who may see and do what, as one table.

``ensure`` is called after migrations rather than by one: Django makes permissions when migrating has ended,
so a migration would find none. Roles made by hand are left alone, and so are permissions given to a role
beyond the table.
"""

from django.contrib.auth.models import Group, Permission

MARKETER, APPROVER, ANALYST = "Marketer", "Approver", "Analyst"
INTEGRATOR, PRIVACY, ADMIN = "Integrator", "Privacy officer", "Admin"
STAFF = "Store and call centre"

_WRITE = "view add change delete"
_READ = [
    "contacts.contact",
    "contacts.identifier",
    "contacts.merge",
    "contacts.event",
    "contacts.segment",
    "contacts.segmentmembership",
    "contacts.consententry",
    "contacts.consentstate",
    "contacts.suppression",
    "contacts.purpose",
    "contacts.wording",
    "contacts.trackingrule",
    "contacts.prediction",
    "contacts.promisestate",
    "journeys.journey",
    "journeys.campaign",
    "journeys.journeyversion",
    "journeys.run",
    "journeys.backtestrun",
    "journeys.outlook",
    "journeys.stepentry",
    "journeys.endpoint",
    "journeys.endpointcall",
    "channels.message",
    "channels.decision",
    "channels.attempt",
    "channels.receipt",
    "channels.sandboxmessage",
    "channels.trackedlink",
    "channels.template",
    "channels.templateversion",
    "channels.contentblock",
    "channels.contenttest",
    "channels.datafeed",
    "channels.survey",
    "channels.surveyversion",
    "channels.surveyanswer",
    "channels.audience",
    "channels.audiencemember",
    "channels.calltask",
    "channels.charterversion",
    "analytics.dailykpi",
]

#: Role -> model -> actions. A model that does not exist (yet) is passed over.
TABLE: dict[str, dict[str, str]] = {
    ANALYST: dict.fromkeys(_READ, "view"),
    MARKETER: {
        **dict.fromkeys(_READ, "view"),
        "contacts.contact": "view edit test",
        "contacts.import": "view add change",
        "contacts.segment": _WRITE,
        "contacts.source": "view",
        "contacts.plannedevent": _WRITE,
        "contacts.suppression": "view add",
        "journeys.journey": "view add change enter",
        "journeys.campaign": "view add change",
        "journeys.backtestrun": "view run",
        "channels.template": "view add change",
        "channels.templateversion": "view add change",
        "channels.contentblock": "view add change",
        "channels.contenttest": "view add change",
        "channels.survey": "view add change",
        "channels.surveyversion": "view add change",
        "channels.audience": "view add change",
        "channels.charterversion": "view add change",
    },
    APPROVER: {
        **dict.fromkeys(_READ, "view"),
        "contacts.suppression": "view add",
        "journeys.journey": "view change publish enter",
        "journeys.campaign": "view change send",
        "journeys.backtestrun": "view run",
        "journeys.journeyversion": "view add",
        "channels.template": "view change publish",
        "channels.templateversion": "view change",
        "channels.contentblock": "view change",
        "channels.contenttest": "view change",
        "channels.survey": "view change publish",
        "channels.surveyversion": "view change",
        "channels.charterversion": "view add change publish",
    },
    INTEGRATOR: {
        "contacts.contact": "view test",
        "contacts.event": "view",
        "contacts.purpose": "view",
        "contacts.source": _WRITE,
        "contacts.import": "view add change",
        "contacts.sourcekey": _WRITE,
        "contacts.apikey": "view add change",
        "contacts.sourcecount": "view",
        "contacts.plannedevent": _WRITE,
        "contacts.identityversion": "view add",
        "contacts.promisestate": "view change hear",
        "contacts.inboxitem": "view",
        "contacts.deadletter": "view change delete",
        "channels.message": "view",
        "channels.sandboxmessage": "view",
        "channels.attempt": "view",
        "channels.receipt": "view",
        "channels.provideraccount": _WRITE,
        "channels.datafeed": _WRITE,
        "journeys.endpoint": _WRITE,
        "journeys.endpointcall": "view",
        "channels.audience": _WRITE,
        "django_celery_beat.periodictask": "view change",
    },
    STAFF: {"contacts.contact": "view", "contacts.event": "view add", "channels.calltask": "view change"},
    PRIVACY: {
        **dict.fromkeys(_READ, "view"),
        "contacts.identityversion": "view add",
        "contacts.contact": "view change delete edit merge export",
        "contacts.import": "view",
        "contacts.export": "view add",
        "contacts.merge": "view change",
        "contacts.consententry": "view add",
        "contacts.suppression": _WRITE,
        "contacts.purpose": "view add change",
        "contacts.wording": _WRITE,
        "contacts.trackingrule": _WRITE,
        "contacts.privacyrequest": "view add change approve",
        "contacts.retentionperiod": "view change",
        "contacts.privacypolicy": "view change",
    },
}


def ensure() -> None:
    """Make the roles that are missing and give each its permissions. Safe to repeat."""
    known = {
        (permission.content_type.app_label, permission.codename): permission
        for permission in Permission.objects.select_related("content_type")
    }
    for role, models in TABLE.items():
        wanted = {
            (app, f"{action}_{model}")
            for app, model, actions in ((*label.split("."), actions) for label, actions in models.items())
            for action in actions.split()
        }
        _give(role, [known[name] for name in wanted if name in known])
    _give(ADMIN, list(known.values()))


def _give(role: str, permissions: list[Permission]) -> None:
    group, _ = Group.objects.get_or_create(name=role)
    group.permissions.add(*permissions)
