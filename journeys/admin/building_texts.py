"""The texts of the journey builder, which its script looks up by the English one."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

TEXTS = (
    _("Also here: {names}"),
    _("Close"),
    _("Copy"),
    _("Cut"),
    _("Delete"),
    _("Delete them all; people go on where the ways meet"),
    _("Delete “{name}”?"),
    _("Go on with theirs"),
    _("Its ways hold other steps. What is to become of them?"),
    _("Keep the way “{way}” ({count} steps); the others go"),
    _("Move down"),
    _("Move here: {place}"),
    _("Move up"),
    _("Move …"),
    _("Moving {name}. Choose a place with the arrows; Enter puts it there, Escape stops."),
    _("Not saved: the server did not answer. Change something to try again."),
    _("Open"),
    _("Paste “{name}”"),
    _("Put mine in its place"),
    _("Saved"),
    _("Saving …"),
    _("Show it"),
    _("Somebody else"),
    _("Start, goal and exit"),
    _("The server does not answer. Trying again …"),
    _("You go on with the draft of {who}. Undo brings back yours."),
    _("Your last change is not saved yet. Nothing is lost: undo reaches the other draft."),
    _("ends there"),
    _("goes on at {name}"),
    _("{count} steps went with it"),
    _("{name} copied"),
    _("{name} deleted, and {count} steps in its ways. Undo brings them back."),
    _("{name} deleted. Undo brings it back."),
    _("{name} moved"),
    _("{name} pasted"),
    _("{who} changed this draft in the meantime."),
    _("{who} changed this draft."),
)


def translated() -> dict[str, str]:
    """Each text in the reader's language, where that differs."""
    pairs = ((text, gettext(text)) for text in TEXTS)
    return {text: said for text, said in pairs if said != text}
