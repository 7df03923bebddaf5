"""What an attempt failed with, and the details of an action, in the words of a page's language.

Both are stored in English. Errors are said by the table of the e-mails (see causes.py) in every
language, with their code beside, which is the same in the API and the log. Details are shown in
English as they are stored, and in other languages what we wrote is said by PHRASES. What others
wrote (a reason, a name) stays as it is, isolated in its own direction.
"""

import gettext
import re
from collections.abc import Callable, Iterator

import jinja2
from markupsafe import Markup, escape

from hookbundle.actors.mails.causes import UNKNOWN, explanation_of
from hookbundle.engine.delivery.answers import rules
from hookbundle.engine.delivery.outcomes import Cause, code_of
from hookbundle.engine.filters import verdicts
from hookbundle.engine.filters.verdicts import FilterCode
from hookbundle.engine.messages.became import SENTENCES, BecameCode
from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.server.console.isolating import bdi, plain
from hookbundle.server.console.times import at
from hookbundle.server.http.schemas.histories import BecameOut
from hookbundle.storage.tables.routing import fullness
from hookbundle.storage.transitions.rendering import storing

STATUS = re.compile(r"status (?P<status>[1-9]\d\d)")
WITH_STATUS = "status {status}"
BY = r"by (?P<caller>[^,]+)"
# How a detail is stored, and the text that says it; a gap in it is filled with the group's words.
PHRASES: tuple[tuple[re.Pattern[str], str], ...] = (
    (STATUS, WITH_STATUS),
    (re.compile(BY), "by {caller}"),
    (re.compile(r"after (?P<count>\d+) consecutive errors"), "after {count} consecutive errors"),
    (re.compile(rf"(?P<count>\d+) dead letters, {BY}"), "{count} dead letters, by {caller}"),
    (
        re.compile(rf"(?P<count>\d+) deliveries: enabled with discard {BY}"),
        "{count} deliveries: enabled with discard by {caller}",
    ),
    (
        re.compile(rf"replay (?P<number>\d+): (?P<count>\d+) deliveries, {BY}"),
        "replay {number}: {count} deliveries, by {caller}",
    ),
    (
        re.compile(r"replay (?P<number>\d+): (?P<delivered>\d+) of (?P<count>\d+) delivered"),
        "replay {number}: {delivered} of {count} delivered",
    ),
    (
        re.compile(r"(?P<used>\d+) of (?P<budget>\d+) requests of the day"),
        "{used} of {budget} requests of the day",
    ),
    (
        re.compile(rf"(?P<count>\d+) deliveries into (?P<made>\d+), {BY}"),
        "{count} deliveries into {made}, by {caller}",
    ),
    (
        re.compile(
            r"(?P<count>\d+) deliveries into (?P<made>\d+), by (?P<caller>[^,;]+); "
            r"(?P<damaged>\d+) could not be read, and stay as they are"
        ),
        "{count} deliveries into {made}, by {caller}; {damaged} could not be read, and stay",
    ),
    (
        re.compile(r"(?P<count>\d+) of (?P<most>\d+) consecutive errors: (?P<failed>.+)"),
        "{count} of {most} consecutive errors: {failed}",
    ),
    (re.compile(r"(?P<skips>(?:attachment|no_text)(?:, (?:attachment|no_text))*)"), "{skips}"),
    *((re.compile(re.escape(text)), text) for text in fullness.DETAILS.values()),
    *((re.compile(re.escape(text)), text) for text in storing.RESTS.values()),
    (re.compile(r"(?P<others>.+), by (?P<caller>[^,]+)", re.DOTALL), "{others}, by {caller}"),
)
# The same of an answer that is not as the rules of a webhook want it (answers/rules.py).
ANSWERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?P<at>.+) is missing"), "The receiver's answer has no {at}."),
    (
        re.compile(r"(?P<at>.+?) is there: (?P<found>.+)"),
        "The receiver's answer has {at}: {found}",
    ),
    (
        re.compile(r"(?P<at>.+?) is (?P<found>.+), not (?P<wanted>.+)"),
        "In the receiver's answer {at} is {found}; this webhook takes only {wanted} as success.",
    ),
    (re.compile(rules.IS_EMPTY), "The receiver's answer is empty; this webhook has rules for it."),
    (
        re.compile(rules.IS_TOO_LONG),
        "The receiver's answer is too long to be judged by rules: 16 KiB are the most.",
    ),
    (
        re.compile(rules.IS_CUT_OFF),
        "The receiver's answer did not come whole; this webhook has rules for it.",
    ),
    (
        re.compile(rules.IS_NOT_JSON),
        "The receiver's answer is not JSON; this webhook has rules for it.",
    ),
)
IN_CONSOLE = re.compile(r"(?P<token>\S+) in the console")
IN_CONSOLE_TEXT = "{token} in the console"
# Why a message was skipped, and in which settings something was changed.
SKIPS = {"attachment": "it has an attachment", "no_text": "it has no text"}
SETTINGS = {
    "name": "name",
    "owner_email": "owner's e-mail",
    "language": "language",
    "time_zone": "time zone",
    "url": "URL",
    "aggregation": "aggregation",
    "window": "rule of aggregation",
    "success": "success",
    "success_rules": "rules for the answer",
    "limits.messages": "messages of a request",
    "limits.bytes": "bytes of a request",
    "rate": "rate",
    "budget": "budget",
    "filter": "filter",
    "warnings": "warnings",
    "format": "format",
    "format_options": "variables of the format",
    "request": "request",
    "dropped": "dropped",
}
SWITCHED = {"on": "yes", "off": "no"}
SETTING = re.compile(rf"(?:^|, )({'|'.join(SETTINGS)}) ")
SETTING_TEXT = "{setting}: {value}"
OF_SETTINGS = ("created", "settings changed")
COMMA = ", "


# Why something was discarded, where no person has said it in words of their own.
REASONS = {"enabled with discard": "the webhook was enabled, and what it held was discarded"}


class Details:
    """In the language of the catalogue; None for English, whose texts are those that are stored."""

    def __init__(self, words: gettext.NullTranslations | None) -> None:
        self._words = words

    def failed(self, error: str) -> Markup:
        """What an attempt failed with, or the status that it had."""
        if found := STATUS.fullmatch(error):
            return bdi(error) if self._words is None else self._phrase(WITH_STATUS, found)
        if code_of(error) == Cause.ANSWER and (answered := self._answered(error)):
            return self._with_code(answered, error)
        cause = explanation_of(error)
        if self._words is None:
            if cause is UNKNOWN:
                return bdi(error)
            return self._with_code(escape(cause.happened) % cause.gaps, error)
        happened = escape(self._words.gettext(cause.happened)) % cause.gaps
        return self._with_code(happened, error)

    def _answered(self, error: str) -> Markup:
        """What was wrong with an answer; empty if it is not said in a known form."""
        for pattern, text in ANSWERS:
            if found := pattern.fullmatch(error.partition(": ")[2]):
                words = self._words.gettext if self._words else str
                gaps = {
                    name: escape(words(value)) if value in rules.KINDS else bdi(value)
                    for name, value in found.groupdict().items()
                }
                return escape(words(text)).format(**gaps)
        return Markup()

    def code(self, error: str) -> Markup:
        """The code of an error beside words that say it; in English with all that is stored."""
        code = code_of(error)
        if code in ("", Cause.STATUS):
            return Markup()
        if self._words is None:
            return Markup('<code dir="ltr" title="{}">{}</code>').format(plain(error), code)
        return Markup('<code dir="ltr">{}</code>').format(code)

    def _with_code(self, happened: Markup, error: str) -> Markup:
        code = self.code(error)
        return happened + " " + code if code else happened

    def detail(self, detail: str, action: str) -> Markup:
        """The detail of an action that is no attempt."""
        if self._words is None:
            return bdi(detail)
        for pattern, text in PHRASES:
            if found := pattern.fullmatch(detail):
                return self._phrase(text, found, of_settings=action in OF_SETTINGS)
        return bdi(detail)

    @jinja2.pass_context
    def sentence(self, context: jinja2.runtime.Context, it: BecameOut) -> Markup:
        """What became of a message, with the times of the page's zone."""
        text = SENTENCES[BecameCode(it.code)]
        gaps: dict[str, object] = {
            "status": it.status or "",
            "errors": it.errors or "",
            "rejections": it.rejections or "",
            "error": self.failed(it.error) if it.error else "",
            "by": self.caller(it.by) if it.by else "",
            "reason": self._reason(it.reason or ""),
            "webhook": bdi(it.webhook or ""),
        }
        for gap, time in (("at", it.at), ("due", it.due_at), ("next", it.next_attempt_at)):
            gaps[gap] = at(context, parse_ms(time)) if time else ""
        words = self._words.gettext(text) if self._words else text
        return escape(words).format_map(gaps)

    def dropped(self, code: str) -> Markup:
        """Why a filter drops a message."""
        text = verdicts.SENTENCES[FilterCode(code)]
        return escape(self._words.gettext(text) if self._words else text)

    def _reason(self, reason: str) -> Markup:
        known = REASONS.get(reason)
        if known is None:
            return bdi(reason)
        return escape(self._words.gettext(known) if self._words else known)

    def _phrase(self, text: str, found: re.Match[str], *, of_settings: bool = False) -> Markup:
        assert self._words is not None
        said: dict[str, Callable[[str], Markup]] = {
            "caller": self.caller,
            "skips": self._skips,
            "failed": self.failed,
        }
        if of_settings:
            said["others"] = self._settings
        gaps = {name: said.get(name, bdi)(value) for name, value in found.groupdict().items()}
        return self._filled(text, **gaps)

    def caller(self, caller: str) -> Markup:
        """Who did something, by the name that is stored."""
        if self._words is None:
            return bdi(caller)
        found = IN_CONSOLE.fullmatch(caller)
        return self._filled(IN_CONSOLE_TEXT, token=bdi(found["token"])) if found else bdi(caller)

    def _skips(self, skips: str) -> Markup:
        return self._listed(self._filled(SKIPS[skip]) for skip in skips.split(", "))

    def _settings(self, changes: str) -> Markup:
        """Each setting with its value; a value that looks like another setting is shown as one."""
        first, *rest = SETTING.split(changes)
        if first or not rest:
            return bdi(changes)
        return self._listed(
            self._filled(
                SETTING_TEXT, setting=self._filled(SETTINGS[key]), value=self._value(value)
            )
            for key, value in zip(rest[::2], rest[1::2], strict=True)
        )

    def _value(self, value: str) -> Markup:
        return self._filled(SWITCHED[value]) if value in SWITCHED else bdi(value)

    def _listed(self, each: Iterator[Markup]) -> Markup:
        return self._filled(COMMA).join(each)

    def _filled(self, text: str, **gaps: Markup) -> Markup:
        assert self._words is not None
        return escape(self._words.gettext(text)).format(**gaps)


def texts() -> Iterator[str]:
    """Every text of the tables, which each language has to have."""
    yield from (text for _, text in PHRASES if text != "{skips}")
    yield from (text for _, text in ANSWERS)
    yield from rules.KINDS
    yield IN_CONSOLE_TEXT
    yield SETTING_TEXT
    yield COMMA
    yield from SKIPS.values()
    yield from SETTINGS.values()
    yield from SWITCHED.values()
    yield from SENTENCES.values()
    yield from verdicts.SENTENCES.values()
    yield from REASONS.values()
