"""Short lives beside the model, of what receivers and senders want: formats, answers, sources.

The long lives (test_simulation.py, test_model.py) do all of this at any time.
"""

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest

from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.rules.forms import FORMS
from hookbundle.tests.reliability.simulation.rules.receiving import ANSWERS
from hookbundle.tests.reliability.simulation.rules.several import Several
from hookbundle.tests.reliability.simulation.rules.sources import CONTACTS, NAMED, WITH_SOURCES
from hookbundle.tests.reliability.simulation.rules.takes import TAKES
from hookbundle.tests.reliability.simulation.scene import FAULTS, Scene
from hookbundle.tests.reliability.simulation.settings import Settings
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import MINUTE_MS


class Short:
    """A workspace `short`, whose windows last a minute and a half."""

    def __init__(self) -> None:
        self.planned = Planned(FAULTS)
        self.scene = Scene(Random(1), self.planned)
        self.posting = Posting(self.scene)
        self.settings = Settings(self.scene)
        self.handling = Handling(self.scene)
        self.troubles = Troubles(self.scene)
        self.several = Several(self.scene, self.posting, self.settings, self.handling, self.new)
        self.receiving = self.several.receiving
        self._ids = count(1)
        self.settings.make("short")

    def new(self, number: int) -> tuple[tuple[int, str], ...]:
        return tuple((100 - nth, f"m{next(self._ids)}") for nth in range(number))

    def seal(self, *counts: int) -> None:
        for number in counts:
            self.posting.post(("short", "c", self.new(number)))
            self.handling.flush("short", "c")

    def ends(self) -> None:
        self.scene.drain(self.several.let_all_go)


@pytest.fixture
def life() -> Iterator[Short]:
    short = Short()
    yield short
    short.scene.world.close()


def test_a_repeat_has_the_same_bytes_over_a_crash_and_another_format(life: Short) -> None:
    life.settings.set_form("short", FORMS["text"])
    life.troubles.mood("short", "slow")
    life.seal(2)
    life.scene.advance(MINUTE_MS)
    life.seal(1)
    life.scene.advance(3_000)
    life.troubles.crash(0)
    life.settings.set_form("short", FORMS["slack"])
    life.seal(2)
    life.ends()

    assert life.planned.seen["unknown sent again"] == 1


def test_a_crash_while_a_body_is_rendered_leaves_nothing_of_it(life: Short) -> None:
    life.receiving.render_into_a_crash("short", "lines")

    assert life.planned.seen["crash while rendering"] == 1
    life.ends()


def test_a_format_that_changes_while_a_body_is_rendered_is_the_one_that_is_sent(
    life: Short,
) -> None:
    life.receiving.change_format("short", "slack")

    assert life.planned.seen["format changed while rendering"] == 1
    life.ends()


@pytest.mark.parametrize("mend", [True, False])
def test_what_cannot_be_rendered_holds_up_nothing_and_is_counted(life: Short, mend: bool) -> None:
    life.receiving.fail_to_render("short", mend=mend)
    assert life.planned.seen["not rendered"] == 1

    life.troubles.mood("short", "saying no")
    life.seal(1, 2)
    life.scene.advance(MINUTE_MS)
    life.troubles.crash(0)
    life.handling.retry_dead_letters("short")
    life.ends()


def test_what_a_format_skips_is_over(life: Short) -> None:
    life.receiving.skip("short")

    assert life.planned.seen["skipped"] == 1
    life.ends()


@pytest.mark.parametrize("takes", list(TAKES))
def test_an_answer_means_what_its_webhook_takes_it_for(life: Short, takes: str) -> None:
    for mood in ANSWERS:
        life.receiving.answer("short", takes, mood)

    life.ends()


@pytest.mark.parametrize("name", WITH_SOURCES)
def test_what_a_source_takes_is_delivered_once_whatever_is_sent_again(
    life: Short, name: str
) -> None:
    life.settings.make(name)
    sources = life.several.sources
    for named in NAMED:
        sources.send(name, CONTACTS[0], named)
    sources.send_again(name, CONTACTS[0])
    for when in ("before", "after"):
        sources.send_into_a_crash(name, CONTACTS[0], "both", when)
    if name != "setup":
        sources.hide(name, CONTACTS[1], forget=False)
        sources.hide(name, CONTACTS[1], forget=True)

    life.ends()
