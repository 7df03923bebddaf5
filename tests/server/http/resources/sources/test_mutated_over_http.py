"""Whatever is posted to a source is answered as its table says, and becomes whole messages only."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from hookbundle.engine.sources.kinds import EMPTY_TWIML
from hookbundle.tests.engine.sources import mutating, samples
from hookbundle.tests.engine.sources.test_mutated_samples import Case, cases
from hookbundle.tests.reliability.harness.battery import SEED, size
from hookbundle.tests.server.http.resources.sources.posting import Tenant
from hookbundle.tests.server.http.resources.sources.test_samples_over_http import settings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
OF_A_KIND = size(12, 600)
KINDS = sorted({case.sample.kind for case in cases()})
HANDS = {"accepted", "duplicate", "skipped", "edited", "deleted", "late", "waiting", "invalid"}
ANSWERED = {200, 400}  # of what is let in; the rest of the table is about who asks, and about us
# What no library writes: raw bytes in the place of a value, and around all of it.
RAW = (b"NaN", b"-Infinity", b"1e400", b'"\\ud83d"', b'"\xff"', b'{"a":1,"a":2}', b"[" * 1_000)


def mutations(kind: str, rng: random.Random) -> Iterator[tuple[Case, bytes]]:
    own = [case for case in cases() if case.sample.kind == kind]
    for _ in range(OF_A_KIND):
        case = rng.choice(own)
        at, other = rng.choice(case.places), rng.choice(mutating.OTHERS)
        body = mutating.encoded_like(case.body, mutating.with_other(case.decoded, at, other))
        match rng.randrange(4):
            case 0 if b'"' in body:
                mark = rng.choice(case.places[1:] or case.places)
                marked = mutating.with_other(case.decoded, mark, "@here@")
                body = mutating.encoded_like(case.body, marked)
                body = body.replace(b'"@here@"', rng.choice(RAW))
            case 1 if kind != "twilio":  # a part of a form is a form
                body = body[: rng.randrange(len(body) + 1)]
        yield case, body


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_is_posted_is_answered_by_the_table_and_never_in_part(
    tenant: Tenant, kind: str
) -> None:
    rng = random.Random(f"{SEED} {kind}")
    form = "application/x-www-form-urlencoded" if kind == "twilio" else "application/json"
    sample = next(case.sample for case in cases() if case.sample.kind == kind)
    source = await tenant.source(kind, **settings_of(sample))
    chats, taken = set[str](), 0

    for case, body in mutations(kind, rng):
        answer = await source.post(body, **{"Content-Type": form})

        assert answer.status in ANSWERED, (answer, body)
        chats |= case.chats
        if kind == "twilio":
            assert answer.status == 400 or answer.body == EMPTY_TWIML
        elif answer.status == 400:
            assert answer.document["code"] == "source_body_not_json"
        else:
            document: dict[str, Any] = answer.document
            assert set(document) <= {*HANDS, "ignored"}
            assert sum(document.get(each, 0) for each in HANDS) + sum(
                document.get("ignored", {}).values()
            )
            taken += document["accepted"]

    accepted = (await source.shown())["counts"].get("accepted", 0)
    assert kind == "twilio" or accepted == taken
    sent = [post.document for post in await tenant.sent(accepted)]
    for each in sent:
        assert each["chat"]["chat_id"] in chats
        assert each["message"]["message_id"]
        assert each["message"]["text"].strip()
        assert each["message"]["direction"] in ("sent", "received")
        assert each["message"]["timestamp"]
        assert each["chat"]["full_name"]


async def test_the_samples_have_a_case_of_each_kind() -> None:
    assert set(KINDS) >= {"waha", "evolution", "meta", "chatwoot", "timelinesai", "twilio"}
    assert len(samples.samples(*KINDS)) > 100
