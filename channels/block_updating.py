"""A block's new words in the templates that use it: each published once more, otherwise as it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser

from channels import drafting
from channels.blocks import Use
from channels.models import TemplateVersion
from channels.rendering_liquid import TemplateError


def bring(uses: Iterable[Use], user: AbstractBaseUser | None, now: datetime) -> tuple[list[Use], list[str]]:
    """The templates that were published anew, and why others were not.

    One that has a draft is left alone: its draft takes the new words when it is published.
    """
    done, faults = [], []
    for use in uses:
        version = drafting.editable(use.template, use.language)
        if version.pk:
            faults.append(f"{use.template} ({use.language}): it has a draft; publish that one")
            continue
        try:
            drafting.save(version, user)
            drafting.publish(version, now)
        except TemplateError as error:
            TemplateVersion.objects.filter(pk=version.pk, published_at=None).delete()
            faults.append(f"{use.template} ({use.language}): {error}")
            continue
        done.append(use)
    return done, faults
