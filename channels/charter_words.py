"""The charter in words, one sentence a rule. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from channels.charter_rules import PERSON, Cap, Charter
from channels.policy_time import DAYS, QuietHours


def explain(charter: Charter) -> list[str]:
    """What the charter says, in the order in which the policy asks."""
    lines = [_consent(charter), _channels(charter)]
    lines += [
        f"No {rule.drop} while an {rule.when} is scheduled within {length(rule.ahead)}"
        + (f" or went out within {length(rule.behind)}" if rule.behind else "")
        + "."
        for rule in charter.redundancy
    ]
    lines += [cap(one) for one in charter.caps]
    if charter.one_a_day:
        lines.append("Never two messages to a person on one day.")
    if charter.apart:
        lines.append(f"At least {length(charter.apart)} between two messages.")
    lines += [_quiet(hours) for hours in charter.quiet_hours]
    unknown = "every zone of their country" if charter.unknown_zone == "every" else charter.default_zone
    lines.append(f"Where a person's time zone is unknown, {unknown} decides.")
    if charter.jitter:
        lines.append(f"What was held leaves within {length(charter.jitter)} of being free, spread out.")
    lines.append("Service messages are exempt from all of this, save the suppression list.")
    return lines


def length(span: timedelta) -> str:
    """A duration as people say it: “7 days”, “90 minutes”."""
    seconds = int(span.total_seconds())
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600)):
        # A week is said as seven days, as everywhere else; two weeks as two weeks.
        if seconds and seconds % size == 0 and (name != "week" or seconds > size):
            count = seconds // size
            return f"{count} {name}{'s' if count != 1 else ''}"
    minutes = seconds // 60
    return f"{minutes} minute{'s' if minutes != 1 else ''}"


def _consent(charter: Charter) -> str:
    if charter.unasked == "allow":
        return "People who were never asked are written to; those who refused are not."
    return "Only people who agreed are written to."


def _channels(charter: Charter) -> str:
    chosen = "in the charter's order" if charter.order_by == "charter" else "in the message's own order"
    next_one = "cannot be used now" if charter.fallback == "held" else "cannot be used at all"
    return f"Channels: {_list(charter.order)}, tried {chosen}; the next one where one {next_one}."


def cap(cap: Cap) -> str:
    """One cap as a sentence."""
    if cap.rolling is not None:
        window = f"in {length(cap.rolling)}"
    else:
        clock = "the person's clock" if cap.zone == PERSON else cap.zone
        window = f"a calendar {cap.calendar} on {clock}"
    what = _list(sorted(cap.channels)) + " " if cap.channels else ""
    about = f" about {_list(sorted(cap.purposes))}" if cap.purposes else ""
    counted = ", service messages counted" if cap.count_transactional else ""
    plural = "message" if cap.limit == 1 else "messages"
    return f"At most {cap.limit} {what}{plural}{about} {window}{counted}."


def _quiet(hours: QuietHours) -> str:
    days = (
        ""
        if len(hours.days) == 7
        else " on " + _list([f"{DAYS[day].title()}s" for day in sorted(hours.days)])
    )
    channels = _list(sorted(hours.channels))
    if hours.begins == hours.ends:
        begins = "" if hours.begins.hour == hours.begins.minute == 0 else f" from {hours.begins:%H:%M}"
        return f"No {channels}{days or ' ever'}, all day{begins}."
    return f"No {channels} from {hours.begins:%H:%M} to {hours.ends:%H:%M}{days}, on the person's clock."


def _list(words: Collection[str]) -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}" if found else "none"
