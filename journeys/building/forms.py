"""What a form sends, back into a part of a definition, by the declaration of its fields. Pure.

What cannot be read stays as it was typed, so that the check of the graph can say what is wrong with it.
Fields that a form does not declare are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from journeys.fields import Form, Input

MOST_ENTRIES = 60
NOTE = ("stage", "touchpoint", "intention")


class Posted(Protocol):
    """The fields of a form that was sent, such as Django's QueryDict."""

    def get(self, key: str, default: str) -> str: ...
    def getlist(self, key: str) -> Sequence[Any]: ...
    def __contains__(self, name: object, /) -> bool: ...


def read(form: Form, posted: Posted, before: Mapping[str, Any], prefix: str = "f") -> dict[str, Any]:
    """``before`` with what ``posted`` says of the fields of ``form``."""
    now = dict(before)
    mode = str(posted.get(f"{prefix}.mode", "")) if form.modes else ""
    if mode not in {name for name, _words in form.modes}:
        mode = form.mode(before)
    shown = form.shown(mode)
    for each in form.inputs:
        if each not in shown and not any(other.name == each.name for other in shown):
            now.pop(each.name, None)
    was = form.mode(before) if form.modes else ""
    for each in shown:
        _take(each, posted, now, prefix)
    if mode and mode != was:
        if now.get(mode) is None:
            now[mode] = _beginning(form, mode)
        for each in shown:
            if each.required and each.default is not None:
                now.setdefault(each.name, each.default)
    return now


def read_note(posted: Posted, before: Mapping[str, Any], prefix: str = "f") -> dict[str, Any]:
    """``before`` with its note: what the step means in the customer's own journey."""
    now = dict(before)
    if f"{prefix}.note.stage" in posted:
        note = {name: str(posted.get(f"{prefix}.note.{name}", "")).strip() for name in NOTE}
        now["note"] = {name: text for name, text in note.items() if text}
        if not now["note"]:
            del now["note"]
    return now


def beginning(form: Form, example: Mapping[str, Any]) -> dict[str, Any]:
    """A new step: the example's plain values, without the names that only the example knows."""
    return _plain(form.inputs, example)


def _plain(inputs: Sequence[Input], example: Mapping[str, Any]) -> dict[str, Any]:
    asked = {each.name for each in inputs if each.kind in _ASKED}
    inner = {each.name: each.inner for each in inputs if each.kind == "entries"}
    return {
        name: [_plain(inner[name], entry) for entry in value] if name in inner else value
        for name, value in example.items()
        if name not in asked
    }


#: What a marketer must choose: an example's value would be a wrong answer that looks like a right one.
_ASKED = {"templates", "audience", "segment", "list", "purpose", "endpoint", "survey", "prediction", "values",
          "rule", "event", "journey", "attribute"}  # fmt: skip


def _beginning(form: Form, mode: str) -> Any:
    own = next((each for each in form.inputs if each.name == mode), None)
    if own is None or own.default is not None:
        return own.default if own else ""
    if own.choices:
        return own.choices[0][0]
    return {"flag": True, "whole": 1, "number": 1, "rule": {}, "span": "1 day", "clock": "09:00"}.get(
        own.kind, ""
    )


def _take(each: Input, posted: Posted, now: dict[str, Any], prefix: str) -> None:
    name = f"{prefix}.{each.name}"
    if each.kind == "entries":
        _put(now, each, _entries(each, posted, now.get(each.name), name))
        return
    if each.kind == "values" and f"{name}.name" in posted:
        _put(now, each, _values(posted, name))
        return
    if each.kind == "templates":
        chosen = {key: posted.get(f"{name}.{key}", "") for key in posted.getlist(f"{name}.of")}
        if chosen:
            _put(now, each, {key: value for key, value in chosen.items() if value})
        return
    if name not in posted:
        return
    if each.kind == "choices":
        _put(now, each, [value for value in posted.getlist(name) if value])
    elif each.kind in ("rule", "where"):
        _take_json(each, str(posted.get(name, "")), now)
    elif each.kind == "numbers":
        parts = str(posted.get(name, "")).replace(";", ",").split(",")
        _put(now, each, [number(part) for part in parts if part.strip()])
    elif each.kind == "flag":
        _put(now, each, {"true": True, "false": False}.get(str(posted.getlist(name)[-1])))
    elif each.kind in ("number", "whole"):
        _put(now, each, number(str(posted.get(name, ""))))
    else:
        text = str(posted.get(name, "")).strip()
        _put(now, each, None if text == "" else text)


def _put(now: dict[str, Any], each: Input, value: Any) -> None:
    """Nothing is written for what is empty, or for a default that was not written before."""
    empty = value is None or value in ([], {})
    silent = value == each.default and each.name not in now and not each.required
    if empty or silent:
        now.pop(each.name, None)
    else:
        now[each.name] = value


def _take_json(each: Input, text: str, now: dict[str, Any]) -> None:
    try:
        value = json.loads(text or "null")
    except (ValueError, RecursionError):
        return
    _put(now, each, value if isinstance(value, dict | list) else None)


def _entries(each: Input, posted: Posted, before: Any, name: str) -> list[Any]:
    """As many entries as there were: ways are added and removed by acts of their own."""
    entries = before if isinstance(before, list) else []
    inner = Form("", "", each.inner)
    found: list[Any] = []
    for index, entry in enumerate(entries[:MOST_ENTRIES]):
        found.append(read(inner, posted, entry, f"{name}[{index}]") if isinstance(entry, Mapping) else entry)
    return found


def _values(posted: Posted, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    rows = zip(
        posted.getlist(f"{name}.name"),
        posted.getlist(f"{name}.act"),
        posted.getlist(f"{name}.value"),
        strict=False,
    )
    for key, act, text in list(rows)[:MOST_ENTRIES]:
        if not str(key).strip():
            continue
        value: Any = True if act == "clear" else plain(str(text))
        if act in ("entry", "answer", "attribute"):
            value = str(text).strip()
        found[str(key).strip()] = value if act in ("", "value") else {act: value}
    return found


def number(text: str) -> int | float | str | None:
    """A number as it was meant, or the text as it was typed."""
    text = text.strip().replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def plain(text: str) -> Any:
    """A number, true, false or null as such; a text otherwise, also in quotes."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, dict | list) else value
