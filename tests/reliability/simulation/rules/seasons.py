"""Months of a simulated life, of which the nights are lived in which clocks are changed.

Three workspaces in three zones, each with three webhooks by different rules. Between those nights a
few messages come; in them many do, out of order, the daemon is killed and restarted, rules and
zones are changed under open windows, and one receiver is dead. The seed alone decides.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.rules.written import (
    FILTERS,
    WINDOWS,
    of_length,
)
from hookbundle.tests.reliability.simulation.scene import LINES_SHOWN, Scene
from hookbundle.tests.reliability.simulation.settings import Settings
from hookbundle.tests.reliability.simulation.tenants import Home
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, HOUR_MS, MINUTE_MS

PLACES = {  # the weekend of the first is Friday and Saturday; the second is in the south
    "haifa": "Asia/Jerusalem",
    "howe": "Australia/Lord_Howe",
    "berlin": "Europe/Berlin",
}
OTHER_ZONES = (*PLACES.values(), "America/Santiago", "Africa/Cairo")
HOOKS = {"": "at", ".crm": "quiet in office hours", ".dwh": "rules"}
KEPT = {"": "all", ".crm": "all", ".dwh": "no red"}
MOST = {"": 4}  # messages of a bundle
NAMES = tuple(place + hook for place in PLACES for hook in HOOKS)
CHATS = ("c", "ca")
BEGINS = datetime(2026, 3, 20, tzinfo=UTC)
AUTUMN = datetime(2026, 9, 28, tzinfo=UTC)
ENDS = datetime(2026, 10, 29, tzinfo=UTC)
BEFORE_MS, AFTER_MS = 6 * HOUR_MS, 9 * HOUR_MS
PAUSES_MS = (0, MINUTE_MS, 7 * MINUTE_MS, 17 * MINUTE_MS, 45 * MINUTE_MS, 3 * HOUR_MS)
DOWN_MS = (0, MINUTE_MS, 25 * MINUTE_MS, 2 * HOUR_MS)
IDLE_MS = 6 * DAY_MS
FAULTS_OF_SEASONS = (
    "clock forward",
    "clock back",
    "crash in the night",
    "restart in the night",
    "rule changed",
    "zone changed",
    "retimed",
    "left first",
    "ended without a message",
    "neighbour of a dead one",
    *("time", "quiet", "max", "at", "first", "flush", "settings", "single", "size"),
)


def ms(of: datetime) -> int:
    return round(of.timestamp() * 1_000)


def changes(since: datetime = BEGINS) -> list[tuple[int, str]]:
    """When clocks are changed in the places, and whether they are put forward or back."""
    found = []
    for zone in sorted(PLACES.values()):
        before = None
        for at_ms in range(ms(since), ms(ENDS), HOUR_MS // 2):
            offset = datetime.fromtimestamp(at_ms / 1_000, ZoneInfo(zone)).utcoffset()
            if before is not None and offset is not None and offset != before:
                found.append((at_ms, "clock forward" if offset > before else "clock back"))
            before = offset
    return sorted(found)


class Seasons:
    """A life from `begins` on, with all changes of clocks from then on or the first `nights`."""

    def __init__(
        self, seed: int, planned: Planned, begins: datetime = BEGINS, nights: int | None = None
    ) -> None:
        self.rng, self.planned = Random(seed), planned
        self._changes = changes(begins)[:nights]
        self.scene = Scene(self.rng, planned, every_time=False, beginning_ms=ms(begins))
        self.posting = Posting(self.scene)
        self.settings = Settings(self.scene)
        self.handling = Handling(self.scene)
        self.troubles = Troubles(self.scene)
        self._messages = 0
        for name in NAMES:
            self._make(name)

    def run(self) -> str:
        """Its changes of clocks, and everything was delivered. Returns the trace's hash."""
        for at_ms, change in self._changes:
            self._pass_days(at_ms - BEFORE_MS)
            if self.now_ms < at_ms:
                self._live_to(at_ms - HOUR_MS)
                self._end(self.rng.choice(("crash", "restart")))
                self._live_to(at_ms + HOUR_MS)
                self.planned.saw(change)
                self._end(self.rng.choice(("crash", "restart")))
                self._live_to(at_ms + AFTER_MS)
                self.scene.check_all()
        self.scene.drain(self.settings.enable_all)
        return self.scene.world.trace_hash()

    @property
    def now_ms(self) -> int:
        return self.scene.world.now_ms()

    def last_lines(self) -> str:
        return "\n".join(self.scene.world.trace[-LINES_SHOWN:])

    def _make(self, name: str) -> None:
        place, _, hook = name.partition(".")
        hook = f".{hook}" if hook else ""
        home = self.scene.model.homes.setdefault(place, Home(place))
        tenant = self.settings.new_tenant(name, home, WINDOWS[HOOKS[hook]], FILTERS[KEPT[hook]])
        tenant.most = MOST.get(hook, tenant.most)
        self.settings.create(tenant, messages_max=tenant.most)
        if not hook:
            self.settings.set_zone(place, PLACES[place])

    # ---- how time passes

    def _pass_days(self, until_ms: int) -> None:
        """Some messages come, days apart, as long as all chats are known and after."""
        while self.now_ms < until_ms:
            self._post()
            self.scene.advance(min(IDLE_MS, max(until_ms - self.now_ms, 0)))

    def _live_to(self, until_ms: int) -> None:
        while self.now_ms < until_ms:
            self.rng.choice(self._actions())()
            pause_ms = min(self.rng.choice(PAUSES_MS), max(until_ms - self.now_ms, 0))
            self.scene.advance(pause_ms)

    def _actions(self) -> list[Callable[[], None]]:
        return [
            *[self._post] * 8,
            self._change_rule,
            self._change_zone,
            lambda: self.handling.flush(self._name(), self._chat()),
            self._be_dead,
        ]

    def _end(self, how: str) -> None:
        self._post()
        end = self.troubles.crash if how == "crash" else self.troubles.restart
        end(self.rng.choice(DOWN_MS))
        self.planned.saw(f"{how} in the night")

    # ---- actions

    def _post(self) -> None:
        """To one workspace or two, for some chats."""
        for place in self.rng.sample(list(PLACES), self.rng.randint(1, 2)):
            chats = self.rng.sample(CHATS, self.rng.randint(1, 2))
            self.posting.post(*((place, chat, self._new(self.rng.randint(1, 3))) for chat in chats))

    def _change_rule(self) -> None:
        windows = self.rng.choice((*WINDOWS.values(), of_length(90_000), of_length(0)))
        self.settings.set_windows(self._name(), windows)
        self.planned.saw("rule changed")

    def _change_zone(self) -> None:
        """And back, so that the next night is one of its own zone."""
        place = self.rng.choice(list(PLACES))
        self.settings.set_zone(place, self.rng.choice(OTHER_ZONES))
        self.scene.advance(self.rng.choice(PAUSES_MS))
        self.settings.set_zone(place, PLACES[place])

    def _be_dead(self) -> None:
        """A receiver is; what waits for it holds up no other."""
        place = self.rng.choice(list(PLACES))
        self.troubles.mood(f"{place}.dwh", "refusing")
        self.posting.post((place, "ca", self._new(2)))
        self.scene.advance(17 * MINUTE_MS)
        self.troubles.mood(f"{place}.dwh", "well")
        self.planned.saw("neighbour of a dead one")

    def _new(self, count: int) -> tuple[tuple[int, str], ...]:
        """Out of order: they were sent at any times."""
        self._messages += count
        first = self._messages - count
        return tuple((self.rng.randint(0, 100), f"m{first + i}") for i in range(count))

    def _name(self) -> str:
        return self.rng.choice(NAMES)

    def _chat(self) -> str:
        return self.rng.choice(CHATS)
