"""Times as people read and write them: in the zone of the workspace whose page it is."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import jinja2
from aiohttp import web
from markupsafe import Markup

from hookbundle.engine import time_zones
from hookbundle.engine.messages import timestamps
from hookbundle.storage.reads.workspace_view import WorkspaceView

TO_THE_MINUTE = "%Y-%m-%dT%H:%M"
TO_THE_SECOND = "%Y-%m-%dT%H:%M:%S"
WRITTEN_MAX = 32


def zone_of(view: WorkspaceView | None) -> ZoneInfo:
    """That of the workspace whose page it is; UTC on the others."""
    return time_zones.zone(view.settings.time_zone if view else "UTC")


@jinja2.pass_context
def at(context: jinja2.runtime.Context, time_ms: int, form: str = "%Y-%m-%d %H:%M:%S") -> Markup:
    """A time in the zone of the page, to the second; on hovering, in UTC.

    In UTC it bears the word. Another zone is named in the footer.
    """
    moment, zone = timestamps.utc(time_ms), context["zone"]
    if zone.key == "UTC":
        words = f"{moment.strftime(form)} UTC"
        return Markup('<time datetime="{}" dir="ltr">{}</time>').format(_exact(moment), words)
    return _hinted(moment, moment.astimezone(zone).strftime(form))


@jinja2.pass_context
def between(context: jinja2.runtime.Context, first_ms: int, last_ms: int) -> Markup:
    """From one time to another, to the minute; with the days if they are two."""
    zone = context["zone"]
    first, last = timestamps.utc(first_ms), timestamps.utc(last_ms)
    is_one_day = first.astimezone(zone).date() == last.astimezone(zone).date()
    form = "%H:%M" if is_one_day else "%Y-%m-%d %H:%M"
    each = [_hinted(moment, moment.astimezone(zone).strftime(form)) for moment in (first, last)]
    if each[0].striptags() == each[1].striptags():
        return each[0]
    return Markup('<bdi dir="ltr">{}\u2013{}</bdi>').format(*each)


def written(text: str, zone: ZoneInfo) -> int | None:
    """UTC milliseconds of a time as a form has it, in that zone; None for what is no time.

    A time that a change of the clocks skips or repeats is the earlier one.
    """
    if len(text) <= WRITTEN_MAX:
        for form in (TO_THE_MINUTE, TO_THE_SECOND, "%Y-%m-%d"):
            try:
                moment = datetime.strptime(text, form).replace(tzinfo=zone)
                at_ms = round(moment.astimezone(UTC).timestamp() * 1_000)
                return at_ms if 0 < at_ms <= timestamps.EPOCH_MS_MAX else None
            except (ValueError, OverflowError):
                continue
    return None


def rfc_3339_of(text: str, zone: ZoneInfo) -> str:
    """A time of a form as the API takes it; what is none stays as it is."""
    at_ms = written(text, zone)
    return text if at_ms is None else timestamps.rfc_3339(at_ms)


def as_utc(
    request: web.Request,
    asked: Mapping[str, str],
    names: Iterable[str],
    zone: ZoneInfo,
    **more: str,
) -> web.Request:
    """The request as the API takes it: with these parameters, of which `names` are times.

    Those of a form are local, and have no zone. What is none stays as it is, and is refused.
    """
    query = {**asked, **more}
    query |= {name: rfc_3339_of(query[name], zone) for name in names if name in query}
    if cursor := request.query.get("cursor"):
        query["cursor"] = cursor
    return request.clone(rel_url=request.rel_url.with_query(query))


def _hinted(moment: datetime, words: str) -> Markup:
    hint = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    return Markup('<time datetime="{}" dir="ltr" title="{}">{}</time>').format(
        _exact(moment), hint, words
    )


def _exact(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
