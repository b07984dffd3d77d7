"""The words of a draft, as they are asked for in each channel."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import TemplateVersion
from channels.models.provider import Channel
from channels.rendering_markup import unix_lines

#: What only a push has, and what only an in-app message has.
_PUSH = ("icon", "button_link", "second_button", "second_link")
_SHOWN = ("place", "pages", "importance", "days")
_LOOK = ("image", "button", *_PUSH, *_SHOWN)


class WordsForm(forms.ModelForm):
    """The words of a draft."""

    class Meta:
        model = TemplateVersion
        fields = (
            "subject", "body", "text", "icon", "image", "link", "button", "button_link", "second_button",
            "second_link", *_SHOWN,
        )  # fmt: skip
        widgets = {
            "subject": forms.TextInput(attrs={"class": "is-code"}),
            "body": forms.Textarea(
                attrs={"rows": 22, "class": "is-code", "spellcheck": "false", "wrap": "off"}
            ),
            "text": forms.Textarea(attrs={"rows": 5, "class": "is-code"}),
            **{
                name: forms.TextInput(attrs={"class": "is-code"})
                for name in ("link", "image", "button", *_PUSH)
            },
            "pages": forms.Textarea(attrs={"rows": 3, "class": "is-code", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unused = {
            Channel.EMAIL: ("link", *_LOOK),
            Channel.SMS: ("subject", "text", "link", *_LOOK),
            Channel.PUSH: ("text", *_SHOWN),
            Channel.INAPP: ("text", *_PUSH),
        }
        if channel != Channel.EMAIL:
            self.fields["body"].widget.attrs.update(rows=7, wrap="soft")
        if channel == Channel.INAPP:
            self.fields["subject"].label = _("title")
            self.fields["subject"].help_text = _("Shown first and bold; may be empty (Liquid).")
            self.fields["body"].help_text = _("Plain text (Liquid).")
            self.fields["image"].help_text = _("Address of a picture, with https:// (Liquid).")
        if channel == Channel.PUSH:
            self.fields["subject"].label = _("title")
            self.fields["subject"].help_text = _("Shown first and bold (Liquid).")
            self.fields["body"].help_text = _("Plain text (Liquid); most devices show about 120 signs.")
            self.fields["image"].help_text = _(
                "Address of a large picture, with https:// (Liquid). Not every browser shows it."
            )
            self.fields["button"].help_text = _(
                "Up to two buttons, each counted by itself (Liquid). Not every browser shows them."
            )
        for name in unused.get(Channel(channel), ("link", *_LOOK)):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        # As written, so that saving unchanged words changes nothing and a text message is no longer for it.
        return {
            name: unix_lines(value) if isinstance(value, str) else value for name, value in values.items()
        }
