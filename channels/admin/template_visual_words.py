"""Words of the visual editor: its buttons, what can be set of each block, and what may be put into a text."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _


def texts() -> dict[str, str]:
    """What the script says, by its English."""
    return {
        "Saved": _("Saved"),
        "Not saved yet": _("Not saved yet"),
        "Saving…": _("Saving…"),
        "The server did not answer. Nothing is lost; try again.": _(
            "The server did not answer. Nothing is lost; try again."
        ),
        "Save mine over it": _("Save mine over it"),
        "Open theirs": _("Open theirs"),
        "Choose a block in the mail or in the outline to change it.": _(
            "Choose a block in the mail or in the outline to change it."
        ),
        "Words (HTML and Liquid)": _("Words (HTML and Liquid)"),
        "Code of this block": _("Code of this block"),
        "Use this code": _("Use this code"),
        "Put in": _("Put in"),
        "Placeholder": _("Placeholder"),
        "Address for the chosen words": _("Address for the chosen words"),
        "Link": _("Link"),
        "bold": _("bold"),
        "italic": _("italic"),
        "underline": _("underline"),
        "{name} added": _("{name} added"),
        "{name} moved": _("{name} moved"),
        "{name} deleted": _("{name} deleted"),
        "That is not possible here": _("That is not possible here"),
        "Move {name} up": _("Move {name} up"),
        "Move {name} down": _("Move {name} down"),
        "Copy {name}": _("Copy {name}"),
        "Delete {name}": _("Delete {name}"),
        "Nothing in it yet: press a block on the left.": _("Nothing in it yet: press a block on the left."),
        "The mail as it is designed": _("The mail as it is designed"),
        "as usual": _("as usual"),
        **_tags(),
    }


def _tags() -> dict[str, str]:
    return {
        "mj-body": _("Mail"),
        "mj-wrapper": _("Wrapper"),
        "mj-section": _("Section"),
        "mj-group": _("Group"),
        "mj-column": _("Column"),
        "mj-hero": _("Hero"),
        "mj-text": _("Text"),
        "mj-button": _("Button"),
        "mj-image": _("Picture"),
        "mj-divider": _("Line"),
        "mj-spacer": _("Space"),
    }


def fields() -> dict[str, list[dict[str, Any]]]:
    """What can be set, by tag: attribute, label, kind of field, and choices."""
    size = _field("font-size", _("Letter size"), "text", "16px")
    colour = _field("color", _("Colour of letters"), "colour")
    weights = [["400", _("normal")], ["600", _("strong")], ["700", _("bold")]]
    weight = _field("font-weight", _("Weight"), "choice", choices=weights)
    align = _field(
        "align",
        _("Alignment"),
        "choice",
        choices=[["left", _("left")], ["center", _("centre")], ["right", _("right")]],
    )
    padding = _field("padding", _("Space around"), "text", "10px 25px")
    back = _field("background-color", _("Background"), "colour")
    round_ = _field("border-radius", _("Rounded corners"), "text", "8px")
    width = _field("width", _("Width"), "text", "100%")
    link = _field("href", _("Leads to"), "text", "https://")
    full = _field("full-width", _("Over the whole width"), "choice", choices=[["full-width", _("yes")]])
    border = _field("border", _("Border"), "text", "1px solid #dfe7e6")
    within = _field("inner-padding", _("Space within"), "text", "14px 28px")
    return {
        "mj-body": [back, _field("width", _("Width"), "text", "600px")],
        "mj-wrapper": [back, padding],
        "mj-section": [back, padding, round_, full],
        "mj-group": [width],
        "mj-column": [back, padding, width, round_, border],
        "mj-hero": [back, padding, _field("background-url", _("Background picture"), "text", "https://")],
        "mj-text": [
            *(size, weight, colour, align, _field("line-height", _("Line height"), "text", "1.5"), padding)
        ],
        "mj-button": [link, back, colour, size, weight, round_, align, padding, within],
        "mj-image": [
            _field("src", _("Address of the picture"), "text", "https://"),
            _field("alt", _("Said in its place (alt text)"), "text"),
            *(link, width, align, round_, padding),
        ],
        "mj-divider": [
            _field("border-color", _("Colour"), "colour"),
            _field("border-width", _("Thickness"), "text", "1px"),
            padding,
        ],
        "mj-spacer": [_field("height", _("Height"), "text", "24px")],
    }


def _field(
    name: str, label: str, kind: str, example: str = "", choices: list[list[str]] | None = None
) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": kind, "example": example, "choices": choices or []}


def placeholders() -> list[list[str]]:
    """Liquid that marketers often put into a text, and what it stands for."""
    return [
        ['{{ contact.first_name | default: "there" }}', _("First name")],
        ['{{ contact.last_name | default: "" }}', _("Last name")],
        ['{{ event.name | default: "your choice" }}', _("Product of the event")],
        ['{{ event.price | default: 0 | money: "USD" }}', _("Price of the event")],
        ["{{ organisation.name }}", _("Name of the organisation")],
        ["{{ message.unsubscribe_url }}", _("Address to unsubscribe")],
        ["{{ message.preferences_url }}", _("Address of the preferences")],
    ]
