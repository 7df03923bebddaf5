"""The bodies of presets, byte for byte: a change of one is a change for every receiver of it.

`FORMAT_GOLDENS=write pytest ...` writes them anew.
"""

import os
from pathlib import Path

import pytest

from hookbundle.engine.formats.jobs import BundleFacts, Rendered
from hookbundle.engine.formats.rendering import rendered
from hookbundle.tests.engine.formats.jobs import CHAT, GROUP, bundle, job, message, single

GOLDEN = Path(__file__).parent / "golden"
PRESETS = ("text", "slack")
ARABIC = {**CHAT, "full_name": "شركة النور", "chat_id": "966501234567@c.us"}

CASES = {
    "direct": bundle([message("Good morning"), message("Hello Dana", 61, sent=True)]),
    "group": bundle(
        [message("who comes?", name="Noa"), message("I do", 5, name="", phone="+972527654321")],
        GROUP,
    ),
    "arabic": bundle(
        [message("مرحبا، كم السعر؟ (PDF)", name="أحمد"), message("٢٠ ريال", 9, sent=True)], ARABIC
    ),
    "emoji": bundle([message("👨‍👩‍👧 👍🏽 🇮🇱 ❤️")]),
    "quotes": bundle([message("""he said "yes" & 'no' <now> \\ {{ chat.phone }} *bold* `x`""")]),
    "newlines": bundle([message("one\r\ntwo\n\nthree\u2028four\x00\x1b[1m")]),
    "turned": bundle([message("a\u202eb", name="x\u2067y"), message("c", 1)]),
    "long": bundle([message("short"), message("שלום " * 13_000, 1), message("end", 2, sent=True)]),
}


@pytest.mark.parametrize("case", [*CASES, "single"])
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_makes_these_bytes(preset: str, case: str) -> None:
    if case == "single":
        facts = BundleFacts("dlv_1", reason="single", is_bundle=False)
        made = rendered(job(preset, single(message("alone")), facts=facts, product_name="inbox"))
    else:
        made = rendered(job(preset, CASES[case], bytes_max=3_000))
    assert isinstance(made, Rendered)
    file = GOLDEN / f"{preset}-{case}.json"
    if os.environ.get("FORMAT_GOLDENS") == "write":
        file.write_bytes(made.body + b"\n")

    assert made.body + b"\n" == file.read_bytes()
