"""All parts of the charter with their forms, in the order in which people read them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from channels.admin.charter_form import PartForm
from channels.admin.charter_form_rules import (
    CapForm,
    ChannelsForm,
    CombinationForm,
    ConsentForm,
    EngagementForm,
    PriorityForm,
    RedundancyForm,
    RoleForm,
    SmartForm,
    SpacingForm,
    ToneForm,
)
from channels.admin.charter_form_time import BlackoutForm, HolidayForm, LawForm, QuietForm, TimeForm


class Section:
    """One part of the charter on its page: a form, or a list whose rules have one each."""

    def __init__(self, name: str, title: Any, form: type[PartForm], add: Any = "") -> None:
        self.name, self.title, self.form, self.add = name, title, form, add

    @property
    def many(self) -> bool:
        return bool(self.add)


#: In the order in which people read a charter.
SECTIONS = {
    one.name: one
    for one in (
        Section("caps", _("Caps"), CapForm, _("Add a cap")),
        Section("engagement", _("Engagement bands"), EngagementForm),
        Section("spacing", _("Spacing"), SpacingForm),
        Section("channels", _("Channels"), ChannelsForm),
        Section("roles", _("Roles of channels"), RoleForm, _("Add a role")),
        Section("smart", _("Smart channel and hour"), SmartForm),
        Section("redundancy", _("Redundancy"), RedundancyForm, _("Add a rule")),
        Section("combinations", _("Forbidden combinations"), CombinationForm, _("Add a combination")),
        Section("priorities", _("Priorities"), PriorityForm, _("Add a priority")),
        Section("quiet_hours", _("Quiet hours"), QuietForm, _("Add quiet hours")),
        Section("laws", _("Laws"), LawForm, _("Add a law")),
        Section("blackouts", _("Blackout days"), BlackoutForm, _("Add blackout days")),
        Section("holidays", _("Public holidays"), HolidayForm, _("Add public holidays")),
        Section("time", _("Time"), TimeForm),
        Section("consent", _("Consent"), ConsentForm),
        Section("tone", _("Tone of templates"), ToneForm),
    )
}
