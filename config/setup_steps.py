"""What a new installation needs before it can write to people: looked at each time, never remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from channels import accounts, organisation, starter
from channels.models import CharterVersion, Message, ProviderAccount, TemplateVersion
from contacts.models import Purpose, Source, SourceCount
from journeys.models import Journey


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. ``state`` is done, open, or trial: it works, and nothing leaves yet."""

    name: str
    title: str
    why: str
    state: str
    found: str


def steps() -> list[Step]:
    """All steps in their order; about a dozen small statements."""
    return [make() for make in _STEPS]


def is_ready(found: list[Step]) -> bool:
    """Whether nothing is open any more."""
    return all(step.state == "done" for step in found)


def _organisation() -> Step:
    told = _settings()
    name, address = str(told.get("from_name") or ""), str(told.get("postal_address") or "")
    own = told.get("from_email") != organisation.EXAMPLE_SENDER
    return Step(
        "organisation",
        _("Your organisation"),
        _("Its name and postal address stand at the foot of each email; the law asks for it."),
        "done" if name and address and own else "open",
        f"{name}, {address}" if name and address and own else "",
    )


def _sender() -> Step:
    account, told = organisation.email_account(), _settings()
    address = str(told.get("from_email") or "")
    if account is None or not address or address == organisation.EXAMPLE_SENDER:
        state, found = "open", ""
    elif account.kind == "sandbox":
        state, found = "trial", _("%s, into the sandbox: nothing leaves yet") % address
    elif missing := accounts.missing(account):
        state, found = "trial", _("%(name)s does not know yet: %(missing)s") % {
            "name": account.name, "missing": ", ".join(missing)}  # fmt: skip
    else:
        state, found = "done", f"{address}, {account.name}"
    return Step(
        "sender",
        _("The sender of your emails"),
        _("An address of your own domain, and a provider that carries the emails; try its connection there."),
        state,
        found,
    )


def _channels() -> Step:
    kinds: dict[str, list[str]] = {}
    for account in ProviderAccount.objects.filter(active=True):
        ways = kinds.setdefault(account.get_channel_display(), [])
        if not accounts.missing(account):
            ways.append(account.kind)
    real = [name for name, found in kinds.items() if set(found) - {"sandbox"}]
    trial = [name for name in kinds if name not in real]
    words = [
        *real,
        *((_("%s (sandbox)") if kinds[name] else _("%s (not finished)")) % name for name in trial),
    ]
    return Step(
        "channels",
        _("Channels"),
        _("By which ways you write. One is enough to begin; the others can follow at any time."),
        "done" if real else "trial" if trial else "open",
        ", ".join(words),
    )


def _rules() -> Step:
    purposes = Purpose.objects.filter(transactional=False).count()
    charter = CharterVersion.objects.filter(published_at__isnull=False).order_by("-number").first()
    return Step(
        "rules",
        _("Purposes, and how often you write"),
        _("What people can agree to, and the charter: caps, quiet hours and who goes first."),
        "open" if not purposes else "done" if charter else "trial",
        _("%d purposes") % purposes
        + (_(", charter version %d") % charter.number if charter else _(", the rules that Segue came with")),
    )


def _source() -> Step:
    sources = list(Source.objects.filter(active=True).values_list("name", flat=True)[:5])
    heard = SourceCount.objects.filter(accepted__gt=0).exists()
    return Step(
        "source",
        _("The first source"),
        _("Your website, app or shop, which sends events. Green as soon as one has arrived."),
        "done" if sources and heard else "trial" if sources else "open",
        ", ".join(sources) + ("" if heard or not sources else _(": nothing has arrived yet")),
    )


def _template() -> Step:
    # Those that Segue itself answers with are there from the first start on.
    own = TemplateVersion.objects.exclude(template__slug__in=starter.NEEDED)
    count = own.filter(published_at__isnull=False).values("template").distinct().count()
    return Step(
        "template",
        _("The first template"),
        _("Write one, or begin with the starter templates in English and French."),
        "done" if count else "open",
        _("%d published") % count if count else "",
    )


def _journey() -> Step:
    names = list(Journey.objects.filter(status=Journey.Status.LIVE).values_list("name", flat=True)[:3])
    drafts = Journey.objects.exclude(status=Journey.Status.ARCHIVED).count()
    return Step(
        "journey",
        _("The first journey"),
        _("Draw one, or begin with a ready-made map; try it in a backtest and publish it."),
        "done" if names else "trial" if drafts else "open",
        ", ".join(names) or (_("%d drafts") % drafts if drafts else ""),
    )


def _message() -> Step:
    sent = Message.objects.filter(state=Message.State.ACCEPTED).exists()
    return Step(
        "message",
        _("The first message"),
        _("Send an event of somebody who agreed, and watch it go."),
        "done" if sent else "open",
        _("Messages leave.") if sent else "",
    )


_STEPS: tuple[Callable[[], Step], ...] = (
    _organisation, _sender, _channels, _rules, _source, _template, _journey, _message,
)  # fmt: skip


def _settings() -> dict[str, Any]:
    account = organisation.email_account()
    return dict(account.settings) if account else {}
