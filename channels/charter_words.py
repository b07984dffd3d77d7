"""The charter in words, one sentence a rule. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from channels.charter_parts import PERSON, About, Cap, Charter, Closed, Combination, Raised, Tone
from channels.law_packs import packs
from channels.policy_time import DAYS, QuietHours
from channels.smart import ALWAYS, ASKED, NEVER, Smart

#: What channels are called within a sentence, alone and with an article.
_NAMES = {"sms": "SMS", "inapp": "in-app"}
_ONE = {"email": "an email", "sms": "an SMS", "push": "a push", "inapp": "an in-app message"}


def explain(charter: Charter) -> list[str]:
    """What the charter says, in the order in which the policy asks."""
    return [line for lines in by_part(charter).values() for line in lines]


def by_part(charter: Charter) -> dict[str, list[str]]:
    """The same by the part of the data that says it; what says nothing is left out."""
    found = {
        "consent": [_consent(charter)],
        "channels": [_channels(charter), *(_role(*one) for one in charter.roles)],
        "smart": _smart(charter.smart),
        "redundancy": [
            f"No {_name(rule.drop)} while {_ONE[rule.when]} is scheduled within {length(rule.ahead)}"
            + (f" or went out within {length(rule.behind)}" if rule.behind else "")
            + "."
            for rule in charter.redundancy
        ],
        "combinations": [_combination(one) for one in charter.combinations],
        "engagement": [_bands(charter)] if any(cap.bands for cap in charter.caps) else [],
        "caps": [cap(one) for one in charter.caps],
        "spacing": _spacing(charter),
        "priorities": [_raised(one) for one in charter.raised],
        "quiet_hours": [_quiet(hours) for hours in charter.quiet_hours],
        "laws": [law(*one) for one in charter.laws],
        "blackouts": [_closed(one) for one in charter.closed if not one.holidays],
        "holidays": [_closed(one) for one in charter.closed if one.holidays],
        "time": _time(charter),
        "tone": _tone(charter.tone),
    }
    found["time"].append("Service messages are exempt from all of this, save the suppression list.")
    return {part: lines for part, lines in found.items() if lines}


def differences(old: Charter, new: Charter) -> list[tuple[str, list[str], list[str]]]:
    """Part by part: what is said no longer, and what is said anew. Parts that say the same are left out."""
    before, after = by_part(old), by_part(new)
    found = []
    for part in dict.fromkeys([*before, *after]):
        then, now = before.get(part, []), after.get(part, [])
        gone, added = [line for line in then if line not in now], [line for line in now if line not in then]
        if gone or added:
            found.append((part, gone, added))
    return found


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


def roughly(span: timedelta) -> str:
    """A duration to one figure that matters: “3 hours”, “2 days”."""
    hours = span.total_seconds() / 3_600
    if hours < 1:
        return length(timedelta(minutes=max(round(hours * 60), 1)))
    return length(timedelta(hours=round(hours)) if hours < 48 else timedelta(days=round(hours / 24)))


def _smart(rules: Smart) -> list[str]:
    """What is chosen for each person, and how much of it is left to chance."""
    lines = [
        {
            ASKED: "Where a message asks for it, the channel that the person answers on is tried first.",
            ALWAYS: "For every message the channel that the person answers on is tried first.",
            NEVER: "No channel is chosen for the person, even where a message asks for it.",
        }[rules.channel],
        {
            ASKED: "Where a message asks for it, it waits for the person's best hour.",
            ALWAYS: f"Every message waits for the person's best hour, {length(rules.within)} at most.",
            NEVER: "No message waits for the person's best hour, even where it asks for it.",
        }[rules.hour],
    ]
    if rules.channel == rules.hour == NEVER:
        return lines
    return [
        *lines,
        (
            f"Of such messages {rules.explore} % are left to chance, to go on learning; {rules.control} % of"
            " people are left as they are, to compare."
        ),
    ]


def _consent(charter: Charter) -> str:
    if charter.unasked == "allow":
        return "People who were never asked are written to; those who refused are not."
    return "Only people who agreed are written to."


def _channels(charter: Charter) -> str:
    chosen = "in the charter's order" if charter.order_by == "charter" else "in the message's own order"
    next_one = "cannot be used now" if charter.fallback == "held" else "cannot be used at all"
    return f"Channels: {_list(map(_name, charter.order))}, tried {chosen}; the next one where one {next_one}."


def _role(channel: str, purposes: Collection[str]) -> str:
    name = _name(channel)
    return f"{name[:1].upper()}{name[1:]} carries {_list(sorted(purposes))} and nothing else."


def _bands(charter: Charter) -> str:
    bands = charter.bands
    known = f"People are {_list(bands.names)} by “{bands.source}”"
    return f"{known}; {bands.unknown} where nothing is known of them."


def cap(cap: Cap) -> str:
    """One cap as a sentence."""
    if cap.rolling is not None:
        window = f"in {length(cap.rolling)}"
    else:
        clock = "the person's clock" if cap.zone == PERSON else cap.zone
        window = f"a calendar {cap.calendar} on {clock}"
    what = _channel_list(cap.channels) + " " if cap.channels else ""
    about = f" about {_list(sorted(cap.purposes))}" if cap.purposes else ""
    about += f" tagged {_list(sorted(cap.tags), 'or')}" if cap.tags else ""
    whom = f" to people of {_list(sorted(cap.bands), 'or')} engagement" if cap.bands else ""
    counted = ", service messages counted" if cap.count_transactional else ""
    if cap.wait is not None:
        within = f" within {length(cap.wait)}" if cap.wait else ""
        counted += f"; what finds no place{within} is not sent"
    plural = "message" if cap.limit == 1 else "messages"
    return f"At most {cap.limit} {what}{plural}{about}{whom} {window}{counted}."


def _spacing(charter: Charter) -> list[str]:
    lines = ["Never two messages to a person on one day."] if charter.one_a_day else []
    return lines + ([f"At least {length(charter.apart)} between two messages."] if charter.apart else [])


def _combination(rule: Combination) -> str:
    if rule.other is None:
        return f"Never {_about(rule.one)}."
    return f"Never {_about(rule.one)} within {length(rule.apart)} of {_about(rule.other)}."


def _about(about: About) -> str:
    channels = f"{_channel_list(about.channels, 'or')} " if about.channels else "any "
    purposes = f" about {_list(sorted(about.purposes), 'or')}" if about.purposes else ""
    tags = f" tagged {_list(sorted(about.tags), 'or')}" if about.tags else ""
    return f"{channels}message{purposes}{tags}"


def _raised(rule: Raised) -> str:
    purposes = f"Messages about {_list(sorted(rule.purposes), 'or')}" if rule.purposes else "Messages"
    people = f" to people in {_list(sorted(rule.segments), 'or')}" if rule.segments else ""
    way = "go first" if rule.add > 0 else "give way"
    return f"{purposes}{people} {way}: {rule.add:+} to their priority."


def _quiet(hours: QuietHours) -> str:
    days = (
        ""
        if len(hours.days) == 7
        else " on " + _list([f"{DAYS[day].title()}s" for day in sorted(hours.days)])
    )
    channels = _channel_list(hours.channels)
    if hours.begins == hours.ends:
        begins = "" if hours.begins.hour == hours.begins.minute == 0 else f" from {hours.begins:%H:%M}"
        return f"No {channels}{days or ' ever'}, all day{begins}."
    return f"No {channels} from {hours.begins:%H:%M} to {hours.ends:%H:%M}{days}, on the person's clock."


def law(slug: str, variant: str = "") -> str:
    """One law pack as a sentence."""
    pack = packs()[slug]
    chosen = f" ({variant})" if variant else ""
    return f"{pack.name}{chosen}. {pack.says}"


def _closed(rule: Closed) -> str:
    what = f"No {_channel_list(rule.channels, 'or')}" if rule.channels else "Nothing"
    about = f" about {_list(sorted(rule.purposes), 'or')}" if rule.purposes else ""
    about += f" tagged {_list(sorted(rule.tags), 'or')}" if rule.tags else ""
    where = f" in {_list(sorted(rule.countries))}" if rule.countries else ""
    if rule.first is None or rule.last is None:
        own = where or " of the person's country"
        return f"{what}{about} on public holidays{own}."
    if rule.first == rule.last:
        days = f" on {_day(rule.first, yearly=rule.every_year)}"
    else:
        begins, ends = (_day(day, yearly=rule.every_year) for day in (rule.first, rule.last))
        days = f" from {begins} to {ends}"
    yearly = ", every year" if rule.every_year else ""
    named = f" ({rule.name})" if rule.name else ""
    return f"{what}{about}{where}{days}{yearly}{named}."


def _day(day: date, *, yearly: bool) -> str:
    return f"{day.day} {day:%B}" + ("" if yearly else f" {day.year}")


def _time(charter: Charter) -> list[str]:
    unknown = "every zone of their country" if charter.unknown_zone == "every" else charter.default_zone
    lines = [f"Where a person's time zone is unknown, {unknown} decides."]
    if charter.jitter:
        lines.append(f"What was held leaves within {length(charter.jitter)} of being free, spread out.")
    lines.append(f"What was held for {length(charter.patience)} goes before better messages.")
    return lines


def _tone(tone: Tone) -> list[str]:
    lines = [f"Templates never say {_list(tone.forbidden, 'or')}."] if tone.forbidden else []
    if tone.capitals is not None:
        lines.append(f"At most {tone.capitals} % of a template's letters are capitals.")
    if tone.exclamations is not None:
        marks = "mark" if tone.exclamations == 1 else "marks"
        lines.append(f"At most {tone.exclamations} exclamation {marks} in a template.")
    lines += [f"Every {_name(channel)} template has “{part}” in it." for channel, part in tone.required]
    return lines


def _name(channel: str) -> str:
    return _NAMES.get(channel, channel)


def _channel_list(channels: Iterable[str], last: str = "and") -> str:
    return _list([_name(channel) for channel in sorted(channels)], last)


def _list(words: Iterable[str], last: str = "and") -> str:
    found = list(words)
    if not found:
        return "none"
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}"
