"""What is said beside the settings of a webhook."""

import pytest

from hookbundle.commands.workspaces.shown import say_resting

UNTIL = "2026-11-29T19:50:00.000Z"


@pytest.mark.parametrize(
    ("state", "until", "is_said"),
    [("backing_off", UNTIL, True), ("backing_off", None, False), ("disabled", UNTIL, False)],
)
def test_why_a_webhook_waits_whose_receiver_has_not_failed_is_said(
    state: str, until: str | None, is_said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    say_resting({"state": state, "rendering_rests_until": until})

    said = capsys.readouterr()
    assert said.out == ""
    assert (f"Nothing is sent before {UNTIL}: three bodies" in said.err) is is_said
