"""Smart channel: of the channels that reach somebody, the one they answer on first. Pure.

The charter's rules come first and stay hard: only channels that it has switched on, that the message offers
and that the person can be reached on take part, and its order decides where too little is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from channels import smart
from channels.policy_facts import PASS, Candidate, Person, Trace
from channels.smart import ALWAYS, ASKED, BEST, CONTROL, EXPLORE, UNKNOWN, Smart

RULE = "smart_channel"
#: So many channels somebody must have been written to on before they are compared.
_COMPARED = 2


def wanted(rules: Smart, candidate: Candidate) -> bool:
    """Whether the channel of this message is to be chosen for its person."""
    asked = rules.channel == ALWAYS or (rules.channel == ASKED and candidate.smart_channel)
    return asked and not candidate.transactional and len(candidate.wanted) > 1


def order(
    candidate: Candidate,
    person: Person,
    rules: Smart,
    usual: Sequence[str],
    reaches: Callable[[str], bool],
) -> tuple[list[str], Trace]:
    """The channels in the order in which to try them, and the line of the trace that says why.

    ``usual`` is the order without any choice; ``reaches`` says whether a channel could be used at all.
    """
    if not wanted(rules, candidate):
        return list(usual), []
    arms = [channel for channel in usual if reaches(channel)]
    if len(arms) < 2:
        return list(usual), []
    scores = person.learned.scores
    known = [channel for channel in arms if channel in scores]
    if sum(scores[channel].sent > 0 for channel in known) < _COMPARED:
        inputs: dict[str, Any] = {"arm": UNKNOWN, "arms": arms, "first": arms[0], "propensity": 1.0}
        return list(usual), [[RULE, PASS, inputs]]
    # What nothing is known of comes last; equal ones keep the usual order.
    best = sorted(arms, key=lambda one: -scores[one].chance if one in scores else 1.0)
    arm = smart.arm(rules, person.contact_id, candidate.seed, "channel")
    by_chance = sorted(arms, key=lambda one: smart.share(f"{person.contact_id} {candidate.seed} {one}"))
    tried = {BEST: best, EXPLORE: by_chance, CONTROL: arms}[arm.name]
    inputs = {
        "arm": arm.name,
        "arms": arms,
        "first": tried[0],
        "propensity": arm.chance(tried[0], best[0], arms[0], len(arms)),
        "scores": {
            one: [round(scores[one].chance, 4), scores[one].sent, scores[one].answered] for one in known
        },
    }
    return [*tried, *(one for one in usual if one not in arms)], [[RULE, PASS, inputs]]
