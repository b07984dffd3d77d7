"""A rule in words, for people who did not write its JSON."""

from __future__ import annotations

from contacts import rules_words_small as small
from contacts.rules_tree import (
    AllOf,
    AnyOf,
    Attribute,
    Consented,
    Everyone,
    Happened,
    InSegment,
    Leaf,
    Messaged,
    Not,
    Predicted,
    Range,
    Reachable,
    Rule,
)

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
        case _:
            return _leaf(rule)


def _leaf(rule: Leaf) -> str:
    match rule:
        case Attribute(name, test, origin):
            shown = name if origin == "either" else f"{origin} {name}"
            return f"{shown} {small.in_words(test)}"
        case Happened():
            return _happened(rule)
        case Messaged():
            return _messaged(rule)
        case Consented():
            return _consented(rule)
        case InSegment(slug, member, window):
            entered = small.window(window)
            which = f", entered{entered}" if entered else ""
            return f"is {'' if member else 'not '}in segment “{slug}”{which}"
        case Predicted(name, test):
            return f"prediction {name} {small.in_words(test)}"
        case Reachable(channel, reachable):
            return f"{'can' if reachable else 'cannot'} be reached by {channel}"


def _consented(rule: Consented) -> str:
    what = {
        "allowed": "allowed",
        "refused": "refused",
        "unknown": "never said whether to allow",
        "expired": "once allowed, but no longer,",
        "pending": "has yet to confirm",
    }[rule.state]
    ends = f", which expires within {small.length(rule.expires_within)}" if rule.expires_within else ""
    return f"{what} {rule.channel} for {rule.purpose}{ends}"


def _happened(rule: Happened) -> str:
    where = small.where(rule.where)
    ending = f"{small.window(rule.window)}{small.followed(rule.then)}"
    if rule.pick:
        what = f"{rule.pick} “{rule.name}”{small.where(rule.among)}"
        return f"the {what} was{ending or ' ever'}{where.replace(' where ', ' and had ', 1)}"
    when = f"{ending}{small.periods(rule.periods)}"
    if rule.total:
        what = f"{small.total(rule.measure, rule.total)} over “{rule.name}”"
        return f"{what}{where}{when} is {small.amount(rule.amount)}"
    return f"{_did(rule.amount, f'did “{rule.name}”', f'did not do “{rule.name}”')}{where}{when}"


def _messaged(rule: Messaged) -> str:
    filters = dict(rule.filters)
    what = f"a message by {filters['channel']}" if "channel" in filters else "a message"
    for key in ("journey", "step", "template", "purpose"):
        if key in filters:
            what += f" of {key} “{filters[key]}”"
    verb = _STATES[rule.state]
    never = "was not sent" if rule.state == "sent" else f"never {verb}"
    when = f"{small.window(rule.window)}{small.followed(rule.then)}{small.periods(rule.periods)}"
    return f"{_did(rule.amount, f'{verb} {what}', f'{never} {what}')}{when}"


def _did(amount: Range, did: str, did_not: str) -> str:
    if amount.most == 0:
        return did_not
    if amount.least == 1 and amount.most is None:
        return did
    one = amount.most == 1 or (amount.most is None and amount.least == 1)
    return f"{did} {small.amount(amount)} {'time' if one else 'times'}"
