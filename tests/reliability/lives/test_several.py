"""Short lives beside the model, each with one thing that is a webhook's own.

The long lives (test_simulation.py, test_model.py, test_seasons.py) do all of this at any time.
"""

from collections.abc import Iterator
from itertools import count
from random import Random

import pytest

from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.rules.seasons import changes
from hookbundle.tests.reliability.simulation.rules.several import Several
from hookbundle.tests.reliability.simulation.rules.written import FILTERS, WINDOWS
from hookbundle.tests.reliability.simulation.scene import FAULTS, Scene
from hookbundle.tests.reliability.simulation.settings import Settings
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, HOUR_MS, MINUTE_MS


class Short:
    """A workspace `setup` with three webhooks, two hours before the nth change of a clock."""

    def __init__(self, nth: int = 0) -> None:
        self.planned = Planned(FAULTS)
        at_ms, _ = changes()[nth]
        self.scene = Scene(Random(1), self.planned, beginning_ms=at_ms - 2 * HOUR_MS)
        self.posting = Posting(self.scene)
        self.settings = Settings(self.scene)
        self.handling = Handling(self.scene)
        self.troubles = Troubles(self.scene)
        self.several = Several(self.scene, self.posting, self.settings, self.handling, self.new)
        self._ids = count(1)
        for name in ("setup", "setup.crm", "setup.dwh"):
            self.settings.make(name)

    def new(self, number: int) -> tuple[tuple[int, str], ...]:
        """Out of order: each was sent before the one before it."""
        return tuple((100 - nth, f"m{next(self._ids)}") for nth in range(number))

    def post(self, *counts: int, chat: str = "c") -> None:
        for number in counts:
            self.posting.post(("setup", chat, self.new(number)))

    def ends(self) -> None:
        self.scene.drain(self.settings.enable_all)


@pytest.fixture
def life() -> Iterator[Short]:
    short = Short()
    yield short
    short.scene.world.close()


def test_a_changed_filter_touches_no_open_window(life: Short) -> None:
    life.settings.set_windows("setup.dwh", WINDOWS["hour"])
    life.settings.set_filter("setup.dwh", FILTERS["all"])
    life.post(2, 3)
    life.several.set_filter("setup.dwh", "no red")
    life.scene.advance(2 * HOUR_MS)
    life.ends()


def test_eleven_errors_disable_one_webhook_and_delay_no_other(life: Short) -> None:
    life.troubles.mood("setup.crm", "broken")
    for _ in range(4):
        life.post(2)
        life.scene.advance(9 * HOUR_MS)

    assert not life.scene.model.tenants["setup.crm"].enabled
    assert life.planned.seen["disabled by errors"] == 1
    life.troubles.mood("setup.crm", "well")
    life.ends()


def test_a_full_webhook_misses_what_the_others_get(life: Short) -> None:
    life.several.fill("setup.crm")

    assert life.planned.seen["overflowed"]
    assert not life.planned.seen["quota reached"]
    life.ends()


def test_a_merge_is_in_order_over_a_crash_and_passes_nothing_of_its_chat(life: Short) -> None:
    life.settings.set_windows("setup", WINDOWS["quiet"])
    life.troubles.mood("setup", "broken")
    life.post(1)
    life.handling.flush("setup", "c")
    life.scene.advance(MINUTE_MS)
    life.troubles.mood("setup", "well")
    life.settings.disable("setup")
    for number in (1, 1, 2, 1):
        life.post(number)
        life.handling.flush("setup", "c")
    life.scene.world.daemon.disk.cut = "before"
    life.settings.merge("setup")
    life.scene.world.daemon.disk.cut = ""
    life.settings.merge("setup")
    life.scene.advance(MINUTE_MS)

    assert life.planned.seen["merged"]
    life.ends()


def test_a_budget_is_known_after_a_restart_and_a_crash(life: Short) -> None:
    life.settings.set_zone("setup", "Asia/Jerusalem")
    life.settings.set_budget("setup.crm", 3)
    life.troubles.mood("setup.crm", "slow")
    for end in (life.troubles.crash, life.troubles.restart):
        life.post(1)
        life.handling.flush("setup.crm", "c")
        end(0)
    life.troubles.mood("setup.crm", "well")
    for _ in range(3):
        life.post(1)
        life.handling.flush("setup.crm", "c")
    life.scene.advance(2 * DAY_MS)

    assert life.planned.seen["budget used up"]
    life.ends()


@pytest.mark.parametrize("windows", ["quiet, first", "at", "quiet in office hours", "rules"])
def test_a_first_message_leaves_at_once_and_is_not_in_the_bundle(life: Short, windows: str) -> None:
    life.settings.set_windows("setup.crm", WINDOWS[windows])
    for chat in ("c", "ca"):
        life.scene.advance(DAY_MS)
        life.post(1, 2, chat=chat)
        life.scene.advance(HOUR_MS)
    life.ends()


def test_a_chat_that_is_never_quiet_is_sent_at_its_maximum(life: Short) -> None:
    life.settings.set_windows("setup.crm", WINDOWS["quiet"])
    for _ in range(9):
        life.post(1)
        life.scene.advance(9 * MINUTE_MS)
    life.ends()


@pytest.mark.parametrize("nth", range(len(changes())))
def test_a_time_of_the_day_is_that_of_the_clock_after_it_was_changed(nth: int) -> None:
    life = Short(nth)
    try:
        for zone in ("Asia/Jerusalem", "Australia/Lord_Howe", "Europe/Berlin"):
            life.settings.set_zone("setup", zone)
            life.several.set_windows("setup.crm", "at")
            life.several.set_windows("setup", "at on working days")
            life.troubles.restart(0)
            life.scene.advance(DAY_MS)
        life.ends()
    finally:
        life.scene.world.close()
