"""Templates filled in: escaped always, in the visitor's language and direction."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from hookbundle import __version__
from hookbundle.engine import durations
from hookbundle.engine.clock import Clock
from hookbundle.engine.delivery.answers.lines import line_of
from hookbundle.engine.delivery.answers.proposals import Proposal
from hookbundle.engine.delivery.outcomes import code_of
from hookbundle.engine.messages import timestamps
from hookbundle.server.console import catalogues, times
from hookbundle.server.console.catalogues import ENGLISH, LANGUAGES, Language
from hookbundle.server.console.details import Details
from hookbundle.server.console.isolating import bdi, plain, shown
from hookbundle.server.console.pages.sources.steps import coded
from hookbundle.server.console.wording import Phrases, Wording
from hookbundle.server.http.schemas.webhooks.success import proposal_out

HERE = Path(__file__).parent
BODY_CHARS_MAX = 256 * 1024  # of a body shown on a page; the log's download has it all


class Renderer:
    """`clustered`: the console is that of a node of a cluster."""

    def __init__(self, clock: Clock, *, clustered: bool = False) -> None:
        self._clock = clock
        self._clustered = clustered
        for code in LANGUAGES:
            environment(code)  # what is wrong with it is found at start

    def render(self, template: str, language: Language, **words: Any) -> str:
        others = [other for other in LANGUAGES.values() if other is not language]
        return (
            environment(language.code)
            .get_template(template)
            .render(
                language=language,
                others=others,
                now_ms=self._clock.now_ms(),
                version=__version__,
                clustered=self._clustered,
                zone=times.zone_of(words.get("view")),
                **words,
            )
        )


@cache
def static_files() -> dict[str, bytes]:
    """The files of the pages, by their names."""
    return {path.name: path.read_bytes() for path in (HERE / "static").iterdir()}


@cache
def static(name: str) -> str:
    """The path of a file, with a mark of its content: it may be kept for ever."""
    return f"/console/static/{name}?v={sha256(static_files()[name]).hexdigest()[:12]}"


@cache
def environment(code: str) -> jinja2.Environment:
    """The templates in a language; each is compiled once in a process."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = catalogues.translations(LANGUAGES[code])
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]
    wording = Wording(None if code == ENGLISH.code else words)
    details = Details(None if code == ENGLISH.code else words)
    phrases = Phrases(words)
    made.globals["static"] = static
    made.filters.update(
        as_json=as_json,
        at=times.at,
        bdi=bdi,
        between=times.between,
        caller=details.caller,
        choice=phrases.choice,
        code=code_of,
        code_beside=details.code,
        coded=coded,
        condition=phrases.condition,
        day=phrases.day,
        detail=details.detail,
        dropped=details.dropped,
        duration_ms=duration_ms,
        every=phrases.every,
        failed=details.failed,
        grouped=grouped,
        kept=phrases.kept,
        ms=timestamps.parse_ms,
        pretty=pretty,
        segment=segment,
        sentence=details.sentence,
        shown=shown,
        size=size,
        plain=plain,
        window=phrases.window,
        phrased=wording.phrased,
        rule_line=line_of,
        titled=wording.titled,
        worded=wording.worded,
    )
    return made


def as_json(proposal: Proposal) -> str:
    """What a form sends back if its visitor agrees."""
    return msgspec.json.encode(proposal_out(proposal)).decode()


def duration_ms(text: str) -> int:
    """Milliseconds of a duration as people write it; 0 if it is none."""
    try:
        return durations.parse_ms(text)
    except ValueError:
        return 0


def grouped(number: int) -> str:
    return f"{number:,}"


def size(count: int) -> Markup:
    """Bytes as people read them."""
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1_024:
            break
        amount, unit = amount / 1_024, larger
    text = f"{amount:.1f}" if amount < 10 and unit != "B" else f"{amount:,.0f}"
    return Markup('<bdi dir="ltr">{} {}</bdi>').format(text, unit)


def pretty(body: str) -> str:
    """JSON with a line for each value; any other text as it is. Long ones end early."""
    if len(body) <= BODY_CHARS_MAX:
        try:
            return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
        except (ValueError, RecursionError):
            return body
    return body[:BODY_CHARS_MAX] + "…"


def segment(text: str) -> str:
    """The text as one segment of a path, or as a value of a query."""
    return quote(text, safe="")
