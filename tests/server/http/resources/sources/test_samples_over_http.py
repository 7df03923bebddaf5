"""Every sample of every kind is posted to a running daemon: what leaves is compared byte for byte.

The secrets of the samples' settings are left out here, as the samples are not signed.
"""

import re
from collections import Counter
from typing import Any

import msgspec
import pytest

from hookbundle.engine.sources.kinds import EMPTY_TWIML
from hookbundle.engine.sources.settings import SECRETS
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.samples import Sample, as_expected
from hookbundle.tests.in_process import Answer
from hookbundle.tests.server.http.resources.sources.posting import Tenant

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = samples.all_samples()
TIME = re.compile('"timestamp":"[^"]*"')
CHANGES = ("edited", "deleted", "late", "waiting")


def settings_of(sample: Sample) -> dict[str, Any]:
    written: dict[str, Any] = msgspec.to_builtins(sample.settings)
    return {name: value for name, value in written.items() if name not in (*SECRETS, "header")}


def counted(answer: Answer) -> Counter[str]:
    document = answer.document
    counts = Counter({name: document[name] for name in ("accepted", "duplicate", "skipped")})
    counts["changes"] = sum(document.get(name, 0) for name in CHANGES)
    counts.update({f"ignored {reason}": n for reason, n in document.get("ignored", {}).items()})
    counts["invalid"] = document.get("invalid", 0)
    return +counts


def wanted(expected: list[Any]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in expected:
        match each:
            case str():
                counts["accepted"] += 1
            case {"duplicate": _}:
                counts["duplicate"] += 1
            case {"skipped": _}:
                counts["skipped"] += 1
            case {"ignored": reason}:
                counts[f"ignored {reason}"] += 1
            case {"invalid": _}:
                counts["invalid"] += 1
            case _:
                counts["changes"] += 1
    return counts


@pytest.mark.parametrize("sample", ALL, ids=samples.names(ALL))
async def test_a_sample_leaves_as_it_should(tenant: Tenant, sample: Sample) -> None:
    source = await tenant.source(sample.kind, **settings_of(sample))
    form = "application/x-www-form-urlencoded" if sample.kind == "twilio" else "application/json"
    expected = as_expected(sample.expected)

    answers = [await source.post(body, **{"Content-Type": form}) for body in sample.bodies]

    assert {answer.status for answer in answers} == {200}
    if sample.kind == "twilio":
        assert {answer.body for answer in answers} == {EMPTY_TWIML}
    else:
        assert [counted(answer) for answer in answers] == [wanted(each) for each in expected]
    leaving = [each for request in expected for each in request if isinstance(each, str)]
    sent = [post.body.decode() for post in await tenant.sent(len(leaving))]
    if sample.kind == "twilio":  # which says no times: those of arrival count, and time goes on
        sent, leaving = [TIME.sub("", each) for each in sent], [TIME.sub("", e) for e in leaving]
    assert sorted(sent) == sorted(leaving)
