"""Bodies as sources post them, and what comes of each. People, numbers and ids are invented.

samples/<kind>/_settings.json          settings of the source; `arrived`: the clock, in seconds
samples/<kind>/NN-name.json, .txt      one body; `_body` and `_settings`, where its are others
samples/<kind>/NN-name.seq.json        several, posted one after the other to one source
samples/<kind>/….expected.json         what one body yields; of a sequence a list of such
samples/<kind>/auth-vectors.json       requests with their secrets, and the verdict
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hookbundle.engine.messages.message import Incoming, incoming
from hookbundle.engine.messages.payload import single_body
from hookbundle.engine.messages.timestamps import format_utc
from hookbundle.engine.sources import outcomes, settings
from hookbundle.engine.sources.kinds import KINDS, translate
from hookbundle.engine.sources.outcomes import Outcome, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.tests.engine.sources.remembering import Remembering

FOLDER = Path(__file__).parent / "samples"
WITH_SAMPLES = tuple(kind for kind in KINDS if (FOLDER / kind).is_dir())
ARRIVED_S = 1_764_300_000


@dataclass(frozen=True, slots=True)
class Sample:
    kind: str
    name: str
    settings: SourceSettings
    bodies: tuple[bytes, ...]
    expected: Any
    arrived_s: int

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def settings_of(kind: str, changes: dict[str, Any] | None = None) -> tuple[SourceSettings, int]:
    """The settings, and when the kind's requests arrive."""
    said = read(FOLDER / kind / "_settings.json")
    assert said.pop("kind") == kind
    arrived_s = said.pop("arrived", ARRIVED_S)
    return settings.parse(kind, {**said, **(changes or {})}), arrived_s


def samples(*kinds: str) -> list[Sample]:
    return [sample for kind in kinds for sample in _of_kind(kind)]


@cache
def all_samples() -> tuple[Sample, ...]:
    return tuple(samples(*WITH_SAMPLES))


def _of_kind(kind: str) -> Iterator[Sample]:
    for path in sorted((FOLDER / kind).iterdir()):
        if path.name.startswith(("_", "auth-")) or path.name.endswith(".expected.json"):
            continue
        expected = read(path.with_name(f"{path.name.rsplit('.', 1)[0]}.expected.json"))
        changes = None
        if path.suffix == ".txt":
            bodies: tuple[bytes, ...] = (path.read_bytes(),)
        elif path.name.endswith(".seq.json"):
            bodies = tuple(json.dumps(each).encode() for each in read(path))
        else:
            body = read(path)
            if "_body" in body:
                changes, body = body["_settings"], body["_body"]
            bodies, expected = (json.dumps(body, ensure_ascii=False).encode(),), [expected]
        if path.suffix == ".txt":
            expected = [expected]
        settings_, arrived_s = settings_of(kind, changes)
        yield Sample(kind, path.name.split(".")[0], settings_, bodies, expected, arrived_s)


def translated(
    kind: str,
    settings_: SourceSettings,
    body: bytes,
    memory: Remembering,
    arrived_s: int = ARRIVED_S,
) -> Translation:
    request = SourceRequest(body=body, arrived_ms=arrived_s * 1_000)
    translation = translate(KINDS[kind], settings_, memory, request)
    assert isinstance(translation, Translation)
    memory.learn(translation.learned)
    return translation


def yielded(sample: Sample) -> list[list[Any]]:
    """What the sample's bodies yield, in the words of the expectations."""
    memory, known = Remembering(), set[tuple[str, str]]()
    found = []
    for body in sample.bodies:
        translation = translated(sample.kind, sample.settings, body, memory, sample.arrived_s)
        found.append([in_words(each, known) for each in translation.outcomes])
    return found


def in_words(outcome: Outcome, known: set[tuple[str, str]]) -> Any:
    match outcome:
        case outcomes.MessageEvent(event):
            key = (event.chat.chat_id, event.message.message_id)
            if key in known:
                return {"duplicate": event.message.message_id}
            known.add(key)
            kept = incoming(event)
            assert isinstance(kept, Incoming), "an event without a text"
            return single_body(kept.account, kept.chat, kept.message).decode()
        case outcomes.Edit(chat_id, message_id, text, at_ms):
            ids = {"message_id": message_id, "chat_id": chat_id}
            return {"edit": {**ids, "text": text, "edited_at": _written(at_ms)}}
        case outcomes.Delete(chat_id, message_id, at_ms):
            ids = {"message_id": message_id, "chat_id": chat_id}
            return {"delete": {**ids, "deleted_at": _written(at_ms)}}
        case outcomes.Skipped(chat_id, message_id, reason):
            return {"skipped": reason, "message_id": message_id, "chat_id": chat_id}
        case outcomes.Ignored(reason, _):
            return {"ignored": str(reason)}
        case outcomes.Invalid(faults, _):
            return {"invalid": [fault.path for fault in faults]}


def as_expected(expected: Any) -> list[list[Any]]:
    """Message events as the bytes that leave: fields in their order, compact."""
    return [
        [_compact(each) if "message" in each else each for each in request] for request in expected
    ]


def _compact(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def _written(at_ms: int | None) -> str | None:
    return None if at_ms is None else format_utc(at_ms // 1_000)


def names(of: Sequence[Sample]) -> list[str]:
    return [str(each) for each in of]


GENERIC_FIELDS = {"message_id": "id", "chat_id": "chat", "text": "text"}
GENERIC = settings.parse("generic", {"fields": GENERIC_FIELDS})
