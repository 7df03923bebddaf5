"""What goes wrong in a life: crashes, full disks, receivers that fail; chance decides of whom."""

from collections.abc import Callable
from random import Random

from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.settings import LENGTHS_MS, NAMES, Settings
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import HOUR_MS, MINUTE_MS

New = Callable[[int], tuple[tuple[int, str], ...]]


class Mishaps:
    """`new` makes so many new messages."""

    def __init__(
        self,
        rng: Random,
        scene: Scene,
        posting: Posting,
        settings: Settings,
        handling: Handling,
        new: New,
    ) -> None:
        self.rng = rng
        self.scene = scene
        self.posting = posting
        self.settings = settings
        self.handling = handling
        self.troubles = Troubles(scene)
        self.new = new

    def commands(self) -> list[Callable[[], None]]:
        """Each once, or more often."""
        troubles, down_ms, while_ms = self.troubles, self._down_ms, self._while_ms
        return [
            lambda: troubles.crash(down_ms()),
            lambda: troubles.restart(down_ms()),
            lambda: troubles.crash_at_a_commit("before", while_ms()),
            lambda: troubles.crash_at_a_commit("after", while_ms()),
            lambda: troubles.fill_disk(while_ms()),
            lambda: troubles.tighten_disk(while_ms()),
            lambda: troubles.step_wall_clock(self.rng.choice((-1, 1)) * while_ms()),
            self._start_too_early,
            lambda: troubles.lose_a_mails_answer(self._name(), self.make_busy),
            lambda: self._end_while_sending(troubles.crash),
            lambda: self._end_while_sending(troubles.restart),
            self._start_over_while_sending,
            self._start_over_while_sending,
            self._delete_dead_letters,
            self._crash_while_moving,
            self._crash_while_moving,
            self._damage,
            self._stand_still,
            self._stand_still,
            self._be_allergic,
            self._be_allergic,
            self.scene.relieve,
            self.scene.relieve,
        ]

    def _start_too_early(self) -> None:
        """The daemon starts with a wall clock that is behind."""
        self.troubles.step_wall_clock(-5 * MINUTE_MS)
        self.troubles.crash(0)
        self.posting.post((self._name(), "c", self.new(1)))

    def _end_while_sending(self, end: Callable[[int], None]) -> None:
        self.make_busy(self._name(), "slow")
        end(self._down_ms())

    def _start_over_while_sending(self) -> None:
        """The attempt under way must not count after the start over, whatever its outcome."""
        name = self._name()
        self.make_busy(name, "silent")
        start_over = self.rng.choice((self.settings.enable, self.settings.move_receiver))
        start_over(name)
        self.scene.advance(MINUTE_MS)

    def _crash_while_moving(self) -> None:
        """After a day of rejections or without, everything held is discarded or queued again."""
        name = self._name()
        if self.rng.random() < 0.5:
            self.make_busy(name, "rejecting")
            self.scene.advance(10 * MINUTE_MS)
        self.settings.disable(name)
        self.posting.post((name, "c", self.new(3)))
        self.handling.flush(name, "c")
        when, discard = self.rng.choice(("before", "after")), self.rng.random() < 0.5
        self.troubles.crash_while_moving(when, lambda: self.settings.enable(name, discard=discard))

    def _delete_dead_letters(self) -> None:
        name = self._name()
        self.make_busy(name, "rejecting")
        self.scene.advance(10 * MINUTE_MS)
        self.handling.delete_chat(name, "c")

    def _damage(self) -> None:
        name = self.ready()
        self.make_busy(name, "broken")
        self.scene.advance(1_000)
        self.troubles.damage(name)

    def _stand_still(self) -> None:
        """Time limits pass while the loop stands still: once, or more often than is forgiven."""
        name = self._name()
        self.make_busy(name, "silent")
        self.scene.world.stalls.begin()
        self.scene.advance(self.rng.choice((20_000, 25 * MINUTE_MS)))
        self.scene.world.stalls.end()

    def _be_allergic(self) -> None:
        """One delivery or another makes its receiver fail, and others wait behind it.

        Enabling leaves those that made it fail where they are.
        """
        name = self.ready()
        self.make_busy(name, "allergic")
        for count in range(5):
            self.posting.post((name, f"{count}", self.new(1)))
            self.handling.flush(name, f"{count}")
        self.scene.advance(2 * HOUR_MS)
        self.settings.enable(name)

    def ready(self) -> str:
        """A webhook without filter and budget, that holds nothing and has nothing in its way."""
        name = self.rng.choice(tuple(LENGTHS_MS))
        self.scene.relieve()
        self.settings.make(name)
        self.troubles.mood(name, "well")
        self.settings.enable(name, discard=True)
        self.scene.advance(MINUTE_MS)
        return name

    def make_busy(self, name: str, mood: str) -> None:
        """The receiver is in that mood and has a request to answer."""
        self.settings.enable(name, discard=self.rng.random() < 0.5)
        self.troubles.mood(name, mood)
        self.posting.post((name, "c", self.new(1)))
        self.handling.flush(name, "c")

    def _name(self) -> str:
        return self.rng.choice(NAMES)

    def _down_ms(self) -> int:
        return self.rng.choice((0, 3_000, 20 * MINUTE_MS, 7 * HOUR_MS))

    def _while_ms(self) -> int:
        return self.rng.choice((2_000, MINUTE_MS, 5 * MINUTE_MS))
