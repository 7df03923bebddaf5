"""Bodies of a format, as tests of the storage have them made: no template is read."""

from typing import Any

import msgspec

from hookbundle.engine.formats.jobs import Job, Outcome, Rendered, Unrenderable, Why
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, Render, Step
from hookbundle.storage.transitions.rendering.storing import Made, StoreBody
from hookbundle.tests.storage.scratch import ScratchDatabase

NOTE = b'"hubspot-note"'
OTHER = b'{"template":{"text":"{{ aggregation }}"}}'
BROKEN = Unrenderable("/properties/hs_timestamp", Why.VALUE, "is no time")


def rendered_plainly(job: Job) -> Outcome:
    """Names the format, the variables and the bundle, and has the sealed body as a text."""
    found = {
        "format": msgspec.json.decode(job.format),
        "options": msgspec.json.decode(job.options or b"{}"),
        "bundle": msgspec.structs.asdict(job.bundle),
        "body": job.body.decode(),
    }
    return Rendered(msgspec.json.encode(found))


def step(db: ScratchDatabase, webhook: int = 1) -> Step:
    """What comes next for the webhook."""
    found: Step = db.do(BeginAttempt(webhook, db.now_ms), Step)
    return found


def asked(db: ScratchDatabase, webhook: int = 1) -> Render:
    """The begin of the next attempt asks for a body."""
    found = step(db, webhook)
    assert isinstance(found, Render), found
    return found


def storing(db: ScratchDatabase, render: Render, made: Made | None = None) -> StoreBody:
    return StoreBody(
        webhook=render.webhook,
        delivery=render.delivery,
        format=render.job.format,
        options=render.job.options,
        made=rendered_plainly(render.job) if made is None else made,
        now_ms=db.now_ms,
    )


def store(db: ScratchDatabase, render: Render, made: Made | None = None) -> Step:
    """Answers as a begin."""
    found: Step = db.do(storing(db, render, made), Step)
    return found


def begun(db: ScratchDatabase, webhook: int = 1) -> Begun:
    """The next attempt has begun, with its body rendered if it had to be."""
    found = step(db, webhook)
    if isinstance(found, Render):
        found = store(db, found)
    assert isinstance(found, Begun), found
    return found


def told(db: ScratchDatabase, kind: str) -> list[dict[str, Any]]:
    """What the facts of that type say."""
    return [event["data"] for event in db.events(kind)]


def bundles(db: ScratchDatabase, *ids: str, **settings: Any) -> None:
    """A webhook with a format, and a bundle of one message for each id."""
    db.workspace(format=NOTE, **settings)
    for each in ids:
        db.accept(each, chat=each)
        db.seal(each)
