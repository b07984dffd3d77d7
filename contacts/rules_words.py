"""A rule in words, for people who did not write its JSON."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from contacts.rules_tree import (
    SINCE_ENTRY,
    SINCE_STEP,
    AllOf,
    AnyOf,
    Attribute,
    Check,
    Consented,
    Everyone,
    Happened,
    InSegment,
    Messaged,
    Not,
    Predicted,
    Range,
    Reachable,
    Rule,
    Value,
    Where,
    Window,
)

_OPS = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "contains": "contains",
    "starts_with": "starts with",
    "gt": "is more than",
    "gte": "is at least",
    "lt": "is less than",
    "lte": "is at most",
    "exists": "is known",
    "missing": "is not known",
    "before": "is before",
    "after": "is after",
    "within_days": "is within the last",
}
_STATES = {
    "sent": "was sent",
    "delivered": "received",
    "opened": "opened",
    "clicked": "clicked in",
    "bounced": "bounced on",
    "complained": "complained about",
    "unsubscribed": "unsubscribed from",
    "dropped": "had dropped",
    "held": "had held back",
    "failed": "had fail",
}


def explain(rule: Rule) -> str:
    """One sentence that says for whom ``rule`` holds."""
    words = _node(rule, top=True)
    return words[0].upper() + words[1:]


def _node(rule: Rule, *, top: bool = False) -> str:
    match rule:
        case Everyone():
            return "everyone"
        case AllOf(parts) | AnyOf(parts):
            if len(parts) == 1:
                return _node(parts[0], top=top)
            joined = (" and " if isinstance(rule, AllOf) else " or ").join(_node(part) for part in parts)
            return joined if top else f"({joined})"
        case Not(part):
            return f"not ({_node(part, top=True)})"
        case Attribute(name, test):
            return f"{name} {_test(test)}"
        case Happened():
            return _happened(rule)
        case Messaged():
            return _messaged(rule)
        case Consented(channel, purpose, state):
            what = {"allowed": "allowed", "refused": "refused", "unknown": "never said whether to allow"}
            return f"{what[state]} {channel} for {purpose}"
        case InSegment(slug, member):
            return f"is {'' if member else 'not '}in segment “{slug}”"
        case Predicted(name, test):
            return f"prediction {name} {_test(test)}"
        case Reachable(channel, reachable):
            return f"{'can' if reachable else 'cannot'} be reached by {channel}"


def _happened(rule: Happened) -> str:
    where = " where " + " and ".join(_where(part) for part in rule.where) if rule.where else ""
    when = _window(rule.window)
    if rule.total:
        return f"sum of {'.'.join(rule.total)} over “{rule.name}”{where}{when} is {_range(rule.amount)}"
    return f"{_did(rule.amount, f'did “{rule.name}”', f'did not do “{rule.name}”')}{where}{when}"


def _messaged(rule: Messaged) -> str:
    filters = dict(rule.filters)
    what = f"a message by {filters['channel']}" if "channel" in filters else "a message"
    for key in ("journey", "step", "template", "purpose"):
        if key in filters:
            what += f" of {key} “{filters[key]}”"
    verb = _STATES[rule.state]
    never = "was not sent" if rule.state == "sent" else f"never {verb}"
    return f"{_did(rule.amount, f'{verb} {what}', f'{never} {what}')}{_window(rule.window)}"


def _did(amount: Range, did: str, did_not: str) -> str:
    if amount.most == 0:
        return did_not
    if amount.least == 1 and amount.most is None:
        return did
    one = amount.most == 1 or (amount.most is None and amount.least == 1)
    return f"{did} {_range(amount)} {'time' if one else 'times'}"


def _range(amount: Range) -> str:
    if amount.least is not None and amount.least == amount.most:
        return f"exactly {_value(amount.least)}"
    if amount.most is None:
        return f"at least {_value(amount.least)}"
    if amount.least is None:
        return f"at most {_value(amount.most)}"
    return f"{_value(amount.least)} to {_value(amount.most)}"


def _window(window: Window) -> str:
    words = ""
    if window.within == SINCE_ENTRY:
        words += " since entering the journey"
    elif window.within == SINCE_STEP:
        words += " since reaching the step"
    elif isinstance(window.within, timedelta):
        words += f" in the last {_value(window.within)}"
    if window.after:
        words += f" after {_value(window.after)}"
    if isinstance(window.before, timedelta):
        words += f", at least {_value(window.before)} ago"
    elif window.before:
        words += f" before {_value(window.before)}"
    return words


def _where(where: Where) -> str:
    return f"{'.'.join(where.path)} {_test(where.test)}"


def _test(test: Check) -> str:
    if test.value is None:
        return _OPS[test.op]
    if test.op == "within_days":
        return f"{_OPS[test.op]} {test.value} day{'' if test.value == 1 else 's'}"
    ago = " ago" if isinstance(test.value, timedelta) else ""
    return f"{_OPS[test.op]} {_value(test.value)}{ago}"


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
        case str():
            return f"“{value}”"
        case timedelta():
            return _length(value)
        case datetime():
            return (
                f"{value:%Y-%m-%d}" if value.time() == datetime.min.time() else f"{value:%Y-%m-%d %H:%M} UTC"
            )
        case tuple():
            shown = ", ".join(_value(item) for item in value[:8])
            return shown if len(value) <= 8 else f"{shown} and {len(value) - 8} more"
        case _:
            return str(value)


def _length(length: timedelta) -> str:
    for unit, size in (("week", 7 * 1440), ("day", 1440), ("hour", 60), ("minute", 1)):
        count, rest = divmod(length, timedelta(minutes=size))
        if not rest and (unit != "week" or count > 8):
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return str(length)
