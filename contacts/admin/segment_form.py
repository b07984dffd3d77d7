"""The form of a segment: its rule as JSON, checked as strictly as a machine would."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from contacts import rules, segment_order
from contacts.models import Segment
from contacts.rules import Rule, RuleError

_LONGEST_RULE = 100_000


# The store keeps no order of keys; people read best what is asked first, and how after that.
_ORDER = (
    "all any not attribute event message consent segment prediction address property channel purpose op value"
    " state member reachable count sum gte gt lte lt eq within after before where"
)
_PLACES = {key: place for place, key in enumerate(_ORDER.split())}


def _ordered(data: Any) -> Any:
    if isinstance(data, dict):
        keys = sorted(data, key=lambda key: (_PLACES.get(key, len(_PLACES)), key))
        return {key: _ordered(data[key]) for key in keys}
    return [_ordered(item) for item in data] if isinstance(data, list) else data


class RuleField(forms.CharField):
    """JSON text in, decoded JSON out; shown indented."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        if value is None:
            return "{}"
        return value if isinstance(value, str) else json.dumps(_ordered(value), indent=2, ensure_ascii=False)

    def to_python(self, value: Any) -> Any:
        written = super().to_python(value)
        if not written:
            return {}
        if len(written) > _LONGEST_RULE:
            raise forms.ValidationError(_("A rule has at most 100,000 characters."))
        try:
            return json.loads(written)
        except RecursionError:
            raise forms.ValidationError(_("Conditions can be nested 20 deep at most.")) from None
        except json.JSONDecodeError as error:
            raise forms.ValidationError(
                _("This is not JSON: line %(line)s, column %(column)s: %(what)s."),
                params={"line": error.lineno, "column": error.colno, "what": error.msg},
            ) from None
        except ValueError:
            raise forms.ValidationError(_("This is not JSON: a number has too many digits.")) from None


class SegmentForm(forms.ModelForm):
    """Slug and kind are chosen once: rules and journeys name the slug."""

    rule = RuleField(
        label=_("Rule"),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 16, "class": "is-code", "spellcheck": "false", "autocapitalize": "off"}
        ),
        help_text=_("JSON. An empty object {} is everyone."),
    )

    class Meta:
        model = Segment
        fields = ("name", "slug", "kind", "description", "tags", "rule", "active")
        widgets = {"description": forms.Textarea(attrs={"rows": 1})}
        help_texts = {
            "slug": _("How rules and journeys name it. Left empty, it follows from the name; it stays."),
            "tags": _("Words to find it by, with commas between them."),
            "kind": _("By rule: kept current by itself. By hand: you add and remove contacts."),
            "active": _("Off: members stay as they are, and nothing about them is computed."),
        }

    #: The rule that was read, once the form is valid.
    parsed: Rule | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        if self.instance.pk:
            for name in ("slug", "kind"):
                self.fields[name].disabled = True
            if self.instance.kind == Segment.Kind.STATIC:
                del self.fields["rule"]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data.get("slug") or slugify(self.cleaned_data.get("name") or "")[:60])
        if not slug:
            raise forms.ValidationError(_("Give it a short name of letters, digits and hyphens."))
        if Segment.objects.exclude(pk=self.instance.pk).filter(slug=slug).exists():
            raise forms.ValidationError(_("Another segment has this slug."))
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") == Segment.Kind.STATIC:
            cleaned["rule"] = {}
        elif "rule" in cleaned:
            self._read(cleaned)
        return cleaned

    def _read(self, cleaned: dict[str, Any]) -> None:
        try:
            parsed = rules.parse(cleaned["rule"], in_journey=False)
            segment_order.check(cleaned.get("slug") or "", parsed)
        except RuleError as error:
            if error.path:
                self.add_error(
                    "rule",
                    forms.ValidationError(
                        _("At %(path)s: %(what)s."), params={"path": error.path, "what": error.message}
                    ),
                )
            else:
                self.add_error("rule", error.message)
        else:
            self.parsed = parsed
