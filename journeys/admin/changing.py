"""One change that the builder asks for, carried out on a draft."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from journeys import graph
from journeys.building import edits, forms, settings
from journeys.building.edits import Edited, EditError
from journeys.building.forms import Posted
from journeys.building.sketch import Edge, steps_of
from journeys.steps import KINDS


def change(data: Any, asked: Mapping[str, Any], posted: Posted) -> Edited:
    """``data`` with what was ``asked``. Raises EditError in words that a marketer understands."""
    made = _made(data, asked, posted)
    if len(json.dumps(made.data)) > graph.LARGEST:
        raise EditError(_("A journey is at most 256 KB."))
    return made


def _made(data: Any, asked: Mapping[str, Any], posted: Posted) -> Edited:
    act, step = str(asked.get("act", "")), str(asked.get("step", ""))
    if act == "insert":
        return _insert(data, asked)
    if act == "paste":
        return edits.paste(data, _place(asked), asked.get("clip"))
    if act == "move":
        return edits.move(data, step, _place(asked))
    if act == "remove":
        return edits.remove(data, step, str(asked.get("keep") or ""))
    if act == "connect":
        return edits.connect(data, _edge(asked.get("edge")), asked.get("to") or None)
    if act == "rename":
        return edits.rename(data, step, str(asked.get("name", "")))
    if act == "way":
        path, index = str(asked.get("path", "")), asked.get("index", 0)
        return edits.change_way(
            data, step, path, index if isinstance(index, int) else -1, str(asked.get("do"))
        )
    if act == "configure":
        return configure(data, step, posted)
    if act == "raw":
        return _raw(data, step, str(asked.get("text", "")))
    if act == "replace" and isinstance(asked.get("draft"), dict):
        return Edited(asked["draft"], str(asked.get("look", "")))
    raise EditError(_("This change is not known."))


def configure(data: Any, step: str, posted: Posted) -> Edited:
    """What the panel's form says."""
    if not step:
        return edits.configure(data, "", settings.read(posted, data))
    raw = steps_of(data).get(step)
    known = KINDS.get(str(raw.get("type"))) if raw else None
    if raw is None or known is None:
        raise EditError(_("This step is not there any more."))
    return edits.configure(data, step, forms.read_note(posted, forms.read(known.form, posted, raw)))


def _insert(data: Any, asked: Mapping[str, Any]) -> Edited:
    kind = str(asked.get("kind", ""))
    known = KINDS.get(kind)
    if known is None:
        raise EditError(_("This kind of step is not known."))
    raw = {"type": kind, **forms.beginning(known.form, known.example)}
    place = _place(asked)
    made = edits.insert(data, place, raw, kind.replace("_", "-"))
    if "again" in {each.name for each in known.form.inputs if each.kind == "step"} and place[0][0]:
        return Edited(edits.connect(made.data, (made.look, "again"), place[0][0]).data, made.look)
    return made


def _raw(data: Any, step: str, text: str) -> Edited:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise EditError(_("This is not JSON yet.")) from None
    if not isinstance(raw, dict):
        raise EditError(_("This is not JSON yet."))
    return edits.configure(data, step, raw)


def _place(asked: Mapping[str, Any]) -> list[Edge]:
    place = asked.get("place")
    return [_edge(edge) for edge in place] if isinstance(place, list) else []


def _edge(written: Any) -> Edge:
    if isinstance(written, list) and len(written) == 2 and all(isinstance(each, str) for each in written):
        return written[0], written[1]
    raise EditError(_("This place is not there any more."))
