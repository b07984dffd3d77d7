"""Backtests: ask, follow, read, compare, and the days of one person."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels import explaining
from contacts import clock, slots
from contacts.models import Contact
from journeys.admin import backtest_words
from journeys.admin.pages import page
from journeys.backtest import reading, running
from journeys.backtest.question import LINE
from journeys.graph import GraphError
from journeys.models import BacktestRun, Journey
from journeys.steps.send import CHANNELS

TONES = {"running": "info", "done": "success", "cancelled": "warning", "failed": "danger"}
PILLS = {"running": "is-info", "done": "is-good", "cancelled": "is-warn", "failed": "is-bad"}
_SAMPLES = (
    (slots.SLOTS, gettext_lazy("Everybody")),
    (16, gettext_lazy("One of 4: quick")),
    (4, gettext_lazy("One of 16: a first look")),
    (1, gettext_lazy("One of 64: seconds")),
)


class AskForm(forms.Form):
    """What to play, over which time, for whom."""

    what = forms.ChoiceField(label=gettext_lazy("Play"))
    start = forms.DateField(
        label=gettext_lazy("From"),
        widget=forms.DateInput({"type": "date", "class": "segue-input"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=gettext_lazy("Until and including"),
        widget=forms.DateInput({"type": "date", "class": "segue-input"}, format="%Y-%m-%d"),
    )
    lots = forms.TypedChoiceField(label=gettext_lazy("For"), choices=_SAMPLES, coerce=int)
    line = forms.IntegerField(
        label=gettext_lazy("Too many messages in a week: more than"), min_value=1, max_value=20
    )

    def __init__(self, journey: Journey, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        numbers = journey.versions.order_by("-number").values_list("number", flat=True)[:50]
        versions = [(str(number), _("Version %s") % number) for number in numbers]
        what: Any = self.fields["what"]
        what.choices = [(running.DRAFT, _("The draft")), *versions]
        for channel in CHANNELS:
            self.fields[f"price_{channel}"] = forms.FloatField(
                label=explaining.channel_name(channel),
                min_value=0,
                max_value=100,
                required=False,
            )
        for field in self.fields.values():
            select = isinstance(field.widget, forms.Select)
            field.widget.attrs.setdefault("class", "segue-select" if select else "segue-input")

    def asked(self) -> list[forms.BoundField]:
        """The fields save those of prices."""
        return [field for field in self if not field.name.startswith("price_")]

    def priced(self) -> list[forms.BoundField]:
        return [field for field in self if field.name.startswith("price_")]

    @property
    def prices(self) -> dict[str, float]:
        return {
            channel: self.cleaned_data[f"price_{channel}"]
            for channel in CHANNELS
            if self.cleaned_data.get(f"price_{channel}")
        }


class BacktestAdmin(ModelAdmin):
    list_display = ["journey", "label", "start", "end", "how", "created_by", "created_at"]
    list_filter = ["state"]
    search_fields = ["journey__name", "journey__slug"]
    list_select_related = ["journey", "created_by"]
    list_per_page = 50
    actions = None

    @display(description=gettext_lazy("state"), ordering="state", label=TONES)
    def how(self, run: BacktestRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # asked from a journey's page

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("journeys.run_backtestrun")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("ask/<int:journey_pk>/", wrap(self.ask_view), name="journeys_backtestrun_ask"),
            path("<int:pk>/progress/", wrap(self.progress_view), name="journeys_backtestrun_progress"),
            path("<int:pk>/cancel/", wrap(self.cancel_view), name="journeys_backtestrun_cancel"),
            path(
                "<int:pk>/person/<int:contact>/", wrap(self.person_view), name="journeys_backtestrun_person"
            ),
        ]  # fmt: skip
        return [*own, *super().get_urls()]

    def ask_view(self, request: HttpRequest, journey_pk: int) -> HttpResponse:
        journey = Journey.objects.filter(pk=journey_pk).first()
        if journey is None:
            raise Http404
        if not self.has_run_permission(request):
            raise PermissionDenied
        now = clock.now()
        first = {"start": (now - timedelta(days=30)).date(), "until": (now - timedelta(days=1)).date()}
        form = AskForm(journey, request.POST or None, initial={**first, "lots": slots.SLOTS, "line": LINE})
        if request.method == "POST" and form.is_valid():
            run = self._ask(request, journey, form, now)
            if run is not None:
                return HttpResponseRedirect(reverse("admin:journeys_backtestrun_change", args=[run.pk]))
        return page(
            self,
            request,
            "journeys/backtest_ask.html",
            title=_("Play “%s” against the past") % journey,
            journey=journey,
            form=form,
            earlier=journey.backtests.select_related("created_by")[:10],
        )

    def _ask(
        self, request: HttpRequest, journey: Journey, form: AskForm, now: datetime
    ) -> BacktestRun | None:
        given = form.cleaned_data
        version = None
        if given["what"] != running.DRAFT:
            version = journey.versions.filter(number=int(given["what"])).first()
        start = datetime.combine(given["start"], time(), UTC)
        end = min(datetime.combine(given["until"], time(), UTC) + timedelta(days=1), now)
        try:
            run = running.ask(
                journey, version, start, end, now,
                lots=given["lots"], line=given["line"], prices=form.prices, user=request.user,
            )  # fmt: skip
        except GraphError:
            form.add_error("what", _("It has problems: mend them on the journey's page first."))
        except running.CannotAskError as error:
            form.add_error(None, str(error))
        else:
            self.log_change(request, journey, f"Played {run.label} against {start:%Y-%m-%d} – {end:%Y-%m-%d}")
            return run
        return None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        run = self._run(request, object_id)
        done, every = running.progress(run)
        finished = run.state == BacktestRun.State.DONE
        result = run.result if finished and run.result else running.total(run)
        answer = reading.read(run, result) if done or finished else None
        return page(
            self,
            request,
            "journeys/backtest.html",
            title=_("“%(journey)s” against the past") % {"journey": run.journey.name},
            run=run,
            pill=PILLS[run.state],
            done=done,
            every=every,
            answer=answer,
            tables=_tables(answer),
            examples=_examples(answer),
            working=run.state == BacktestRun.State.RUNNING,
            expected=_expected(run, answer),
            others=_others(run),
            beside=self._beside(request, run, answer),
            may_run=self.has_run_permission(request),
        )

    def _beside(
        self, request: HttpRequest, run: BacktestRun, answer: reading.Answer | None
    ) -> dict[str, Any] | None:
        """Another finished backtest's figures next to these."""
        number = request.GET.get("with", "")
        other = (
            _others(run).filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
        )
        if other is None or other.result is None or answer is None:
            return None
        theirs = reading.read(other, other.result)
        return {"run": other, "rows": compared(answer, theirs)}

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """How far it is, to be put in place of what the page says."""
        run = self._run(request, str(pk))
        done, every = running.progress(run)
        answer = render(
            request, "journeys/backtest_progress.html", {"run": run, "done": done, "every": every}
        )
        answer.headers["X-State"] = run.state
        return answer

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run(request, str(pk))
        if not self.has_run_permission(request) or request.method != "POST":
            raise PermissionDenied
        if running.cancel(run, clock.now()):
            self.log_change(request, run.journey, f"Cancelled the backtest of {run.label}")
            messages.success(request, _("Cancelled."))
        return HttpResponseRedirect(reverse("admin:journeys_backtestrun_change", args=[pk]))

    def person_view(self, request: HttpRequest, pk: int, contact: int) -> HttpResponse:
        run = self._run(request, str(pk))
        if not request.user.has_perm("contacts.view_contact"):
            raise PermissionDenied
        person = Contact.objects.filter(pk=contact).first()
        if person is None:
            raise Http404
        return page(
            self,
            request,
            "journeys/backtest_person.html",
            title=_("What would have happened to %s") % person,
            run=run,
            person=person,
            lines=[(line.at, *backtest_words.line(line)) for line in running.story(run, contact)],
        )

    def _run(self, request: HttpRequest, object_id: str) -> BacktestRun:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = BacktestRun.objects.select_related("journey", "created_by")
        run = found.filter(pk=int(object_id)).first() if object_id.isdecimal() else None
        if run is None:
            raise Http404
        return run


def compared(ours: reading.Answer, theirs: reading.Answer) -> list[tuple[Any, float, float, float]]:
    """Figures of two backtests, as for everybody, with the difference."""
    rows: list[tuple[Any, float, float]] = [
        (_("People who enter"), ours.people * ours.factor, theirs.people * theirs.factor),
        (_("Messages"), ours.messages * ours.factor, theirs.messages * theirs.factor),
        (_("Messages a person"), round(ours.per_person, 2), round(theirs.per_person, 2)),
        (_("Reach the goal"), ours.conversions * ours.factor, theirs.conversions * theirs.factor),
        (_("Reach the goal, of 100"), round(ours.conversion_rate, 1), round(theirs.conversion_rate, 1)),
        (_("Held for a while"), ours.held * ours.factor, theirs.held * theirs.factor),
        (_("Not sent"), ours.dropped * ours.factor, theirs.dropped * theirs.factor),
        (_("People over the line"), ours.over * ours.factor, theirs.over * theirs.factor),
        (_("Meet another journey"), ours.met_people * ours.factor, theirs.met_people * theirs.factor),
        (_("Cost"), round(ours.cost * ours.factor, 2), round(theirs.cost * theirs.factor, 2)),
    ]
    return [(words, mine, other, round(mine - other, 2)) for words, mine, other in rows]


def _others(run: BacktestRun) -> Any:
    """Finished ones of the same journey, to compare with."""
    done = run.journey.backtests.filter(state=BacktestRun.State.DONE)
    return done.exclude(pk=run.pk).select_related("journey")


def _tables(answer: reading.Answer | None) -> list[tuple[Any, Any, list[reading.Bar]]]:
    """Heading, what there is to say where it is empty, and the bars."""
    if answer is None:
        return []
    channels = [bar._replace(label=explaining.channel_name(bar.label)) for bar in answer.channels]
    ends = [bar._replace(label=backtest_words.end(bar.label)) for bar in answer.ends]
    return [
        (_("Messages by channel"), _("No message leaves."), channels),
        (_("How it ends"), _("Nobody enters."), ends),
        (_("Messages a person gets from it"), _("Nobody enters."), answer.spread),
        (_("Most messages in a week, of all journeys"), _("Nobody enters."), answer.weeks),
        (_("Held for a while, because"), _("Nothing has to wait."), backtest_words.reasons(answer.why_held)),
        (_("Not sent, because"), _("Everything may leave."), backtest_words.reasons(answer.why_dropped)),
        (_("Called off, because"), _("Nothing is called off."), backtest_words.reasons(answer.why_cancelled)),
        (_("Another channel than the first"), _("All take their first channel."), answer.rerouted),
        (_("Meets, within a day, messages of"), _("It meets no other journey."), answer.met),
    ]


def _examples(answer: reading.Answer | None) -> list[tuple[Contact, str]]:
    """People of each end who can be looked at; who was erased since is left out."""
    told = {one["contact"]: one["end"] for one in answer.examples} if answer else {}
    people = Contact.objects.in_bulk(list(told))
    return [(people[number], backtest_words.end(end)) for number, end in told.items() if number in people]


def _expected(run: BacktestRun, answer: reading.Answer | None) -> list[tuple[str, int, float, float]]:
    """Channel, messages, and how many of them will be opened and clicked if people do as they did."""
    if answer is None:
        return []
    rates = running.rates(run)
    return [
        (
            explaining.channel_name(bar.label),
            int(bar.number),
            bar.number * rates[bar.label]["opened"],
            bar.number * rates[bar.label]["clicked"],
        )
        for bar in answer.channels
        if bar.label in rates
    ]
