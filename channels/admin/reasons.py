"""Why messages were held or not sent: the page of all reasons, with examples a click away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.views import UnfoldModelAdminViewMixin

from channels import explaining, reason_words, reasons
from channels.models import Decision
from channels.models.provider import Channel
from channels.reasons import Asked, Report, Tally
from contacts import clock
from contacts.models import Contact

PERIODS = {"1": _("Today"), "7": _("7 days"), "30": _("30 days"), "90": _("90 days")}
_OUTCOMES = {
    "": _("Held, not sent, called off"),
    "hold": _("Held"),
    "drop": _("Not sent"),
    "cancel": _("Called off"),
}
_NUMBERS = {one.name.lower(): int(one) for one in reasons.STOPPED}


class ReasonsForm(forms.Form):
    """What is shown; anything missing or wrong falls back to the last seven days of everything."""

    days = forms.ChoiceField(label=_("Period"), choices=list(PERIODS.items()), required=False)
    origin = forms.ChoiceField(label=_("Wanted by"), required=False)
    channel = forms.ChoiceField(
        label=_("Channel"), choices=[("", _("All channels")), *Channel.choices], required=False
    )
    outcome = forms.ChoiceField(label=_("What became of it"), choices=list(_OUTCOMES.items()), required=False)
    day = forms.DateField(required=False, widget=forms.HiddenInput)
    reason = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def __init__(self, data: dict[str, Any], today: date) -> None:
        super().__init__(data)
        self.today = today
        found = reasons.origins(today - timedelta(days=90), today)
        # Of whoever asked for nothing lately there is nothing to show: not everything.
        asked = reasons.origin_from(str(data.get("origin") or ""))
        if asked and asked.code not in {one.code for one in found}:
            found.append(asked)
        names = reasons.origin_names(found)
        named = sorted(((one.code, name) for one, name in names.items()), key=lambda one: one[1].lower())
        self.fields["origin"] = forms.ChoiceField(
            label=_("Wanted by"), choices=[("", _("Everybody")), *named], required=False
        )

    def asked(self) -> Asked:
        self.is_valid()
        said = self.cleaned_data
        day = said.get("day")
        first = self.today - timedelta(days=int(said.get("days") or 7) - 1)
        return Asked(
            first=day or first,
            last=day or self.today,
            origin=reasons.origin_from(said.get("origin") or ""),
            channel=said.get("channel") or "",
            outcome=_NUMBERS.get(said.get("outcome") or ""),
            reason=said.get("reason") or "",
        )


class Row(NamedTuple):
    """One line of a table: its name, its numbers, its share of the largest, and where a click leads."""

    name: str
    tally: Tally
    most: int
    link: str
    chosen: bool = False


class Example(NamedTuple):
    decision: Decision
    contact: Contact | None
    words: str
    outcome: str
    tone: str


_TONES = {
    Decision.Outcome.HOLD: "is-warn",
    Decision.Outcome.DROP: "is-bad",
    Decision.Outcome.CANCEL: "is-info",
}


class ReasonsView(UnfoldModelAdminViewMixin, TemplateView):
    """Reasons by frequency, then by who wanted the message, by channel and by day; one chosen: examples."""

    title = _("Why messages were held or not sent")
    permission_required = ("channels.view_decision",)
    template_name = "channels/reasons.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse | StreamingHttpResponse:  # type: ignore[override]
        self.form = ReasonsForm({"days": "7"} | request.GET.dict(), clock.now().date())
        self.asked = self.form.asked()
        if request.GET.get("format") == "csv":
            answer = StreamingHttpResponse(reasons.as_csv(self.asked), content_type="text/csv; charset=utf-8")
            name = f"reasons-{self.asked.first}-{self.asked.last}.csv"
            answer["Content-Disposition"] = f'attachment; filename="{name}"'
            return answer
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = reasons.report(self.asked)
        chosen = bool(self.asked.reason)
        return super().get_context_data(
            **kwargs,
            crumbs=[(_("Channels"), ""), (self.title, "")],
            form=self.form,
            asked=self.asked,
            reason=reason_words.name(self.asked.reason) if chosen else "",
            report=found,
            share=f"{found.total.total / found.decisions:.1%}" if found.decisions else "",
            tables=self._tables(found),
            examples=_examples(reasons.examples(self.asked)) if found.total.total else [],
            csv_link=self._link(format="csv"),
            all_reasons=self._link(reason=""),
            whole_period=self._link(day=""),
        )

    def _tables(self, found: Report) -> list[tuple[str, str, list[Row]]]:
        channels = dict(Channel.choices)
        by_reason = [
            (reason_words.name(reason), tally, self._link(reason=reason), reason == self.asked.reason)
            for reason, tally in found.by_reason.items()
        ]
        names = reasons.origin_names(found.by_origin)
        by_origin = [
            (names[origin], tally, self._link(origin=origin.code), bool(self.asked.origin))
            for origin, tally in found.by_origin.items()
        ]
        by_channel = [
            (
                str(channels.get(one, one or _("None chosen"))),
                tally,
                self._link(channel=one),
                bool(one) and one == self.asked.channel,
            )
            for one, tally in found.by_channel.items()
        ]
        by_day = [
            (f"{day:%Y-%m-%d}", tally, self._link(day=day.isoformat()), self.asked.first == self.asked.last)
            for day, tally in reversed(found.by_day.items())
        ]
        return [
            ("reason", str(_("Reason")), _rows(by_reason)),
            ("origin", str(_("Journey or campaign")), _rows(by_origin)),
            ("channel", str(_("Channel")), _rows(by_channel)),
            ("day", str(_("Day (UTC)")), _rows(by_day)),
        ]

    def _link(self, **changes: str) -> str:
        query = self.request.GET.copy()
        for name, value in changes.items():
            query[name] = value
            if not value:
                del query[name]
        return f"?{query.urlencode()}"


def _rows(lines: Iterable[tuple[str, Tally, str, bool]]) -> list[Row]:
    found = list(lines)
    most = max((tally.total for _name, tally, _link, _chosen in found), default=0)
    return [Row(name, tally, most or 1, link, chosen) for name, tally, link, chosen in found]


def _examples(decisions: list[Decision]) -> list[Example]:
    contacts = Contact.objects.in_bulk({one.contact_id for one in decisions})
    return [
        Example(
            one,
            contacts.get(one.contact_id),
            _sentence(explaining.why(one, explaining.zone_of(contacts.get(one.contact_id)))),
            explaining.outcome_word(one),
            _TONES.get(Decision.Outcome(one.outcome), ""),
        )
        for one in decisions
    ]


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
