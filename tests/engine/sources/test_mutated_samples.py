"""Bodies with a part missing or of another kind: each is an outcome, and never a wrong one."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine.messages.message import Incoming, incoming
from hookbundle.engine.sources import outcomes, reading
from hookbundle.engine.sources.kinds import KINDS, translate
from hookbundle.engine.sources.outcomes import Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.tests.engine.sources import mutating, samples
from hookbundle.tests.engine.sources.remembering import Remembering
from hookbundle.tests.engine.sources.samples import WITH_SAMPLES, Sample
from hookbundle.tests.reliability.harness.battery import FULL, size

ALL = samples.all_samples()
# Our own numbers and those who only speak in groups: never the chat.
NO_CHATS = {"15550100200", "15550100300", "15550109999"}
CHAT = re.compile(r"155501[0-9]{5}|[0-9]+@(?:lid|g\.us)|US\.[0-9]+")
# What some put in the place of an id is an id too, where ids are numbers or any text.
IDS_PUT_IN = {"0", "?", "x@lid", "half ?", mutating.NAN}


@dataclass(frozen=True)
class Case:
    sample: Sample
    body: bytes
    decoded: Any
    places: tuple[mutating.Steps, ...]
    chats: frozenset[str]


@cache
def cases() -> list[Case]:
    found = []
    for sample in ALL:
        for body in sample.bodies:
            decoded = mutating.decoded(body)
            own = chats_of(translation_of(sample, body))
            told = set(CHAT.findall(body.decode())) - NO_CHATS
            told |= {reading.id_of(decoded, "conversation", "id")} - {""}  # of Chatwoot
            places = tuple(mutating.places(decoded))
            found.append(Case(sample, body, decoded, places, frozenset(own | told | IDS_PUT_IN)))
    return found


def translation_of(sample: Sample, body: bytes) -> Translation:
    translation = found_in(sample, body)
    assert isinstance(translation, Translation)
    return translation


def found_in(sample: Sample, body: bytes) -> Translation | outcomes.Unreadable:
    request = SourceRequest(body=body, arrived_ms=sample.arrived_s * 1_000)
    return translate(KINDS[sample.kind], sample.settings, Remembering(), request)


def chats_of(translation: Translation) -> set[str]:
    found = set()
    for outcome in translation.outcomes:
        match outcome:
            case outcomes.MessageEvent(event):
                found.add(event.chat.chat_id)
            case outcomes.Edit(chat_id) | outcomes.Delete(chat_id) | outcomes.Skipped(chat_id):
                found.add(chat_id)
    return found


def check(case: Case, value: Any) -> None:
    body = mutating.encoded_like(case.body, value)
    translation = found_in(case.sample, body)
    if isinstance(translation, outcomes.Unreadable):
        assert b"NaN" in body  # which is no JSON
        return
    assert translation.outcomes
    assert chats_of(translation) <= case.chats
    for outcome in translation.outcomes:
        if isinstance(outcome, outcomes.MessageEvent):
            assert isinstance(incoming(outcome.event), Incoming)
    for learned in translation.learned:
        assert len(learned.chat_id.encode()) <= 200


@given(st.data())
@settings(max_examples=size(250, 20_000), deadline=None, derandomize=not FULL)
def test_whatever_two_parts_of_a_body_are_it_is_an_outcome(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(cases()))
    value = case.decoded
    for _ in range(2):
        places = tuple(mutating.places(value))
        at = data.draw(st.sampled_from(places[: 1 + len(case.places)]))
        value = mutating.with_other(value, at, data.draw(st.sampled_from(mutating.OTHERS)))

    check(case, value)


@pytest.mark.skipif(not FULL, reason="half a minute; `make battery` runs it")
@pytest.mark.parametrize("kind", WITH_SAMPLES)
def test_whatever_one_part_of_a_body_is_it_is_an_outcome(kind: str) -> None:
    for case in cases():
        if case.sample.kind == kind:
            for at in case.places:
                for other in mutating.OTHERS:
                    check(case, mutating.with_other(case.decoded, at, other))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"null", b"0", b'""', b'{"event":1}', b"[" * 1_000 + b"]" * 1_000, b"1e999"],
    ids=lambda body: body[:12].decode(),
)
def test_json_that_is_nothing_known_is_ignored(kind: str, body: bytes) -> None:
    settings_ = samples.settings_of(kind)[0] if kind in WITH_SAMPLES else samples.GENERIC

    translation = translate(
        KINDS[kind], settings_, Remembering(), SourceRequest(body=body, arrived_ms=1)
    )

    assert isinstance(translation, Translation)
    (outcome,) = translation.outcomes
    assert isinstance(outcome, outcomes.Ignored)
    assert outcome.reason in (outcomes.Reason.UNKNOWN_SHAPE, outcomes.Reason.UNKNOWN_EVENT)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "twilio"])
@pytest.mark.parametrize("body", [b"", b"a=b", b"{", b"<x/>", b"{'a': 1}", b"\x1f\x8b"])
def test_what_is_no_json_is_said_to_be_none(kind: str, body: bytes) -> None:
    settings_ = samples.settings_of(kind)[0] if kind in WITH_SAMPLES else samples.GENERIC

    found = translate(KINDS[kind], settings_, Remembering(), SourceRequest(body=body, arrived_ms=1))

    assert isinstance(found, outcomes.Unreadable)


@pytest.mark.parametrize("text", [r"half \ud83d", "latin-1 \xe9"])
def test_a_text_with_broken_characters_is_not_lost(text: str) -> None:
    sample = next(each for each in ALL if each.name == "01-upsert-conversation")
    body = sample.bodies[0].replace(b"Oi, tudo bem?", text.encode("latin-1"))

    (outcome,) = translation_of(sample, body).outcomes

    assert isinstance(outcome, outcomes.MessageEvent)
    assert outcome.event.message.text == text.split(" ")[0] + " ?"
