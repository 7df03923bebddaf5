"""Bodies to be rendered: a healthy one, and such as go past a limit."""

from typing import Any

from msgspec.structs import replace

from hookbundle.engine.formats.jobs import Job, Unrenderable, Why
from hookbundle.tests.engine.formats.jobs import bundle, job, message

HEALTHY = job({"template": {"note": "{{ messages | text }}"}})
# As a job, less than a pipe takes: one that stands still has all of it.
LONG_TEXTS = bundle([message("<&>" * 1_000, at) for at in range(3)])
# Four million letters of four bytes each.
MEMORY_BOMB = job(
    {"template": ["{{ messages[0].text | upcase }}"] * 60}, bundle([message("👍" * 65_000)])
)
LIGHT_AND_HOPELESS = job({"template": "{{ chat.full_name | ms }}"})
SMALL_BYTES = 48 * 1024 * 1024  # what the process has at its start, and a little more


def slow(times: int) -> Job:
    return job(
        {
            "template": {
                "$each": "messages",
                "as": "m",
                "do": ["{{ m.text | html | escape | url_encode | size }}"] * times,
            }
        },
        LONG_TEXTS,
    )


TIME_BOMB = slow(300)
SLOW_BUT_LEGAL = slow(30)
# The same format: what it takes is the matter of its texts.
LIGHT_FOR_NOW = replace(SLOW_BUT_LEGAL, body=bundle([message("hello")]))
HEAVY_ALL_AT_ONCE = replace(
    SLOW_BUT_LEGAL, body=bundle([message("<&>" * 20_000, at) for at in range(9)])
)


def code_of(made: Any) -> Why:
    assert isinstance(made, Unrenderable), made
    return made.code
