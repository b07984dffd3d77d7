"""The words of a draft, as they are asked for in each channel."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.models import TemplateVersion
from channels.models.provider import Channel
from channels.rendering_markup import unix_lines

#: What only an in-app message has.
_PLACING = ("image", "button", "place", "pages", "importance", "days")


class WordsForm(forms.ModelForm):
    """The words of a draft."""

    class Meta:
        model = TemplateVersion
        fields = (
            "subject", "body", "text", "image", "link", "button", "place", "pages", "importance", "days",
        )  # fmt: skip
        widgets = {
            "subject": forms.TextInput(attrs={"class": "is-code"}),
            "body": forms.Textarea(
                attrs={"rows": 22, "class": "is-code", "spellcheck": "false", "wrap": "off"}
            ),
            "text": forms.Textarea(attrs={"rows": 5, "class": "is-code"}),
            "link": forms.TextInput(attrs={"class": "is-code"}),
            "image": forms.TextInput(attrs={"class": "is-code"}),
            "button": forms.TextInput(attrs={"class": "is-code"}),
            "pages": forms.Textarea(attrs={"rows": 3, "class": "is-code", "spellcheck": "false"}),
        }

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        unused = {
            Channel.EMAIL: ("link", *_PLACING),
            Channel.SMS: ("subject", "text", "link", *_PLACING),
            Channel.PUSH: ("text", "place", "pages", "importance", "days"),
            Channel.INAPP: ("text",),
        }
        if channel != Channel.EMAIL:
            self.fields["body"].widget.attrs.update(rows=7, wrap="soft")
        if channel == Channel.INAPP:
            self.fields["subject"].label = _("title")
            self.fields["subject"].help_text = _("Shown first and bold; may be empty (Liquid).")
            self.fields["body"].help_text = _("Plain text (Liquid).")
            self.fields["image"].help_text = _("Address of a picture, with https:// (Liquid).")
        for name in unused.get(Channel(channel), ("link", *_PLACING)):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        # As written, so that saving unchanged words changes nothing and a text message is no longer for it.
        return {
            name: unix_lines(value) if isinstance(value, str) else value for name, value in values.items()
        }
