"""Questions before what can't be undone, or costs something: the consequence, with its count.

A form that would do such a thing is answered with a page that says what would happen, and posts
the same fields again with an answer. The answer holds the counts that were shown. If one has grown
meanwhile, the question is asked again; who agrees to that has been told that what comes until
then is included, so where messages never stop coming, a question can be answered all the same.

Nothing of it needs a script: it is a page with two buttons.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.server.console import security
from hookbundle.server.console.forms import Form
from hookbundle.server.console.visits import Visit
from hookbundle.server.http.requests import number_of

ANSWER = "agreed"
WHATEVER_COMES = "any"
COUNT_MAX = 10**15


@dataclass(frozen=True, slots=True)
class Consequence:
    """`word` is known to the template. `count` may not grow unseen; `more`, `text` only tell.

    `at_most`: that many it is at most, because counting them would take too long.
    """

    word: str
    count: int = 0
    more: int = 0
    text: str = ""
    at_most: bool = False


def unanswered(
    visit: Visit,
    act: str,
    consequences: Iterable[Consequence],
    cancel: str,
    *,
    has_grown: bool = False,
    template: str = "question.html",
    **words: Any,
) -> web.Response | None:
    """The page that asks whether to go on; None if nothing is to be asked, or was agreed to.

    `act` is known to the template, `cancel` the path to which it leads back. `has_grown`: whatever
    was agreed to, it is more by now.
    """
    found = tuple(consequences)
    answer = visit.form.get(ANSWER)
    if not found or (not has_grown and _is_agreed(answer, found)):
        return None
    again = has_grown or answer is not None
    fields = {
        name: value
        for name, value in visit.form.items()
        if name not in (ANSWER, security.FORM_FIELD)
    }
    return visit.page(
        template,
        act=act,
        consequences=found,
        again=again,
        answer=WHATEVER_COMES if again else ",".join(f"{c.word}:{c.count}" for c in found),
        answer_field=ANSWER,
        fields=fields,
        path=visit.request.path_qs,
        cancel=cancel,
        **words,
    )


def agreed_count(form: Form, word: str) -> int | None:
    """The count of that consequence to which somebody agreed; None for whatever it is.

    0 if nobody was asked, because there was nothing.
    """
    answer = form.get(ANSWER, "")
    return None if answer == WHATEVER_COMES else _counts(answer).get(word, 0)


def _is_agreed(answer: str | None, consequences: tuple[Consequence, ...]) -> bool:
    if answer is None:
        return False
    counts = _counts(answer)
    return answer == WHATEVER_COMES or all(
        counts.get(each.word, -1) >= each.count for each in consequences
    )


def _counts(answer: str) -> dict[str, int]:
    """What was agreed to, by the word; without what no page has written."""
    found = {}
    for part in answer.split(","):
        word, _, text = part.partition(":")
        count = number_of(text, COUNT_MAX)
        if count is not None:
            found[word] = count
    return found
