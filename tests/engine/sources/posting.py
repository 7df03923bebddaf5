"""Posts bodies of samples, changed or not, to a source of its kind."""

import json
from typing import Any

from hookbundle.engine.sources.outcomes import MessageEvent, Outcome
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.remembering import Remembering


def body_of(kind: str, name: str, *at: Any) -> Any:
    """The body of a sample, and of a sequence the one at this index."""
    body = samples.read(samples.FOLDER / kind / f"{name}.json")
    return body[at[0]] if at else body


def outcomes_of(
    kind: str,
    body: Any,
    changes: dict[str, Any] | None = None,
    memory: Remembering | None = None,
) -> tuple[Outcome, ...]:
    settings_, _ = samples.settings_of(kind, changes)
    memory = Remembering() if memory is None else memory
    return samples.translated(kind, settings_, json.dumps(body).encode(), memory).outcomes


def outcome_of(kind: str, body: Any, *more: Any, **also: Any) -> Outcome:
    (outcome,) = outcomes_of(kind, body, *more, **also)
    return outcome


def chat_of(outcome: Outcome) -> Any:
    assert isinstance(outcome, MessageEvent)
    return outcome.event.chat


GROUP = body_of("waha", "18-gows-group-lid-participant")
SENT = body_of("waha", "02-webjs-any-sent-from-phone")
DIRECT = body_of("waha", "01-webjs-message-in")
LID = body_of("waha", "05-gows-lid-with-phone")
