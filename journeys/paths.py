"""Whether one can walk through a graph: every step named exists and is reached, and no loop lacks a wait."""

from __future__ import annotations

from collections.abc import Mapping

from journeys.fields import Problem
from journeys.steps.step import Step


def check_paths(start: str, steps: Mapping[str, Step], problems: list[Problem]) -> None:
    """Note dangling edges, loops without a wait and, in a graph otherwise in order, steps nobody reaches."""
    if start and start not in steps:
        problems.append(Problem("start", f"no step is named “{start}”"))
    for step in steps.values():
        for field, target in step.edges():
            if target is not None and target not in steps:
                problems.append(Problem(f"steps.{step.id}.{field}", f"no step is named “{target}”"))
    # A step whose way in could not be read would be named here too, and mislead.
    if start in steps and not problems:
        reached = _reached(start, steps)
        problems.extend(Problem(f"steps.{name}", "is never reached") for name in steps if name not in reached)
    loop = find_loop(steps)
    if loop:
        problems.append(
            Problem(f"steps.{loop[0]}", f"goes round without a wait: {' → '.join([*loop, loop[0]])}")
        )


def _targets(step: Step, steps: Mapping[str, Step]) -> list[str]:
    return [target for _field, target in step.edges() if target in steps and target is not None]


def _reached(start: str, steps: Mapping[str, Step]) -> set[str]:
    reached, open_ends = {start}, [start]
    while open_ends:
        for target in _targets(steps[open_ends.pop()], steps):
            if target not in reached:
                reached.add(target)
                open_ends.append(target)
    return reached


def find_loop(steps: Mapping[str, Step]) -> list[str]:
    """The steps of one loop in which a run may never wait, or nothing. Depth is no limit."""
    finished: set[str] = set()
    for origin in steps:
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, bool]] = [(origin, False)]
        while stack:
            name, leaving = stack.pop()
            if leaving:
                path.pop()
                on_path.discard(name)
                finished.add(name)
            elif name in on_path:
                return path[path.index(name) :]
            elif name not in finished and not steps[name].always_waits():
                path.append(name)
                on_path.add(name)
                stack.append((name, True))
                stack.extend((target, False) for target in _targets(steps[name], steps))
    return []
