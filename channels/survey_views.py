"""The page behind a survey's links: GET shows what was picked, POST takes the answer. No login, no cookie."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from channels.surveys import answering
from channels.surveys.answering import Asked, Taken
from channels.surveys.wording import LONGEST_COMMENT
from contacts import clock
from contacts.preferences import TokenExpiredError, TokenInvalidError
from contacts.public_pages import draw, language_of, public


@public
def survey(request: HttpRequest, token: str) -> HttpResponse:
    """One question. What looks at links ahead of people answers nothing: only the form does, once."""
    asked = answering.by_token(token)
    if asked is None:
        raise TokenInvalidError
    now = clock.now()
    if asked.is_over(now):
        raise TokenExpiredError
    taken = Taken.BEFORE if answering.is_answered(asked) else None
    picked = asked.picked.value if asked.picked else None
    if request.method == "POST":
        picked = _number(request.POST.get("value", ""))
        taken = answering.take(asked, picked, request.POST.get("text", ""), now)
    return draw(request, "channels/survey.html", *_shown(request, asked, picked, taken))


def _shown(
    request: HttpRequest, asked: Asked, picked: int | None, taken: Taken | None
) -> tuple[dict[str, object], str]:
    language = language_of(request, asked.contact)
    survey, words = asked.survey, asked.survey.words(language)
    context = {
        "survey": survey,
        "words": words,
        "choices": [(value, survey.label(value, language)) for value in survey.values],
        "picked": picked,
        "done": taken in (Taken.NOW, Taken.BEFORE),
        "before": taken is Taken.BEFORE,
        "missing": taken is Taken.NOTHING,
        "text": request.POST.get("text", "")[:LONGEST_COMMENT],
        "longest": LONGEST_COMMENT,
    }
    return context, language


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None
