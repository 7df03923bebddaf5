"""A simulated life of the daemon: its seed alone decides what happens, and when."""

from collections.abc import Callable
from random import Random

from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.peers import MAIL_MOODS, MOODS
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.repeats import BOTH, CUT, Repeats
from hookbundle.tests.reliability.simulation.rules.several import Several
from hookbundle.tests.reliability.simulation.scene import LINES_SHOWN, Scene
from hookbundle.tests.reliability.simulation.settings import NAMES, Settings
from hookbundle.tests.reliability.simulation.tenants import HELD_MAX
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, HOUR_MS, MINUTE_MS

CHATS = ("c", "ca", "\U0001f600")
PAUSES_MS = (0, 40, 7_000, MINUTE_MS, 17 * MINUTE_MS, HOUR_MS, 5 * HOUR_MS)


class Life:
    def __init__(self, seed: int, planned: Planned) -> None:
        self.rng = Random(seed)
        self.scene = Scene(self.rng, planned, every_time=False)
        self.posting = Posting(self.scene)
        self.settings = Settings(self.scene)
        self.handling = Handling(self.scene)
        self.troubles = Troubles(self.scene)
        self.repeats = Repeats(self.scene)
        parts = self.posting, self.settings, self.handling
        self.several = Several(self.scene, *parts, self._new)
        self._messages = 0
        self._bag: list[Callable[[], None]] = []
        self.settings.make_all()

    def run(self, days: int) -> str:
        """`days` pass, and everything accepted was delivered. Returns the hash of the trace."""
        began_s, last_day = self.scene.world.loop.time(), 0
        actions, weights = zip(*self._actions(), strict=True)
        while (day := int((self.scene.world.loop.time() - began_s) * 1_000) // DAY_MS) < days:
            self.rng.choices(actions, weights)[0]()
            self.scene.advance(self.rng.choice(PAUSES_MS))
            if day > last_day:
                last_day = day
                self.scene.check_all()
        self.settings.make_all()
        self.scene.drain(self._enable_all)
        return self.scene.world.trace_hash()

    def _enable_all(self) -> None:
        self.settings.enable_all()
        for name in NAMES:  # those over which their receiver failed
            self.handling.retry_dead_letters(name)

    def last_lines(self) -> str:
        return "\n".join(self.scene.world.trace[-LINES_SHOWN:])

    def _actions(self) -> list[tuple[Callable[[], None], int]]:
        return [
            (self._post, 60),
            (self._post_known, 8),
            (self._post_under_key, 4),
            (self._post_into_a_crash, 3),
            (self._change_mood, 14),
            (self._from_the_bag, 28),
        ]

    def _from_the_bag(self) -> None:
        """A rarer action. All actions of the bag are done before any is repeated."""
        if not self._bag:
            self._bag = [*self._commands(), *self._troubles()]
            self.rng.shuffle(self._bag)
        self._bag.pop()()

    # ---- messages

    def _post(self) -> None:
        name = self._name()
        chats = self.rng.sample(CHATS, self.rng.randint(1, 2))
        self.posting.post(*((name, chat, self._new(self.rng.randint(1, 4))) for chat in chats))

    def _post_known(self) -> None:
        """Repeats a few of the last messages, with a new one that is in the request twice."""
        name, chat = self._name(), self.rng.choice(CHATS)
        known = self.scene.posted(name, chat)
        again, new = self.rng.sample(known, min(3, len(known))), self._new(1)
        self.posting.post((name, chat, (*again, *new, *again, *new)))

    def _post_under_key(self) -> None:
        part = self._name(), self.rng.choice(CHATS), self._new(2)
        self.posting.post(part, key=f"key {self._messages}")

    def _post_into_a_crash(self) -> None:
        when = self.rng.choice(("before", "after"))
        self.scene.world.daemon.disk.cut = when
        self._post()
        self.troubles.end_of_cut(when)

    def _post_many(self) -> None:
        self.posting.post((self.rng.choice(("short", "long")), "c", self._new(1_003)))

    def _new(self, count: int) -> tuple[tuple[int, str], ...]:
        self._messages += count
        first = self._messages - count
        return tuple((self.rng.randint(0, 100), f"m{first + i}") for i in range(count))

    # ---- commands

    def _commands(self) -> list[Callable[[], None]]:
        name, chat, number = self._name, self._chat, self._number
        return [
            lambda: self.settings.enable(name()),
            lambda: self.settings.enable(name()),
            lambda: self.settings.enable(name(), discard=True),
            lambda: self.settings.disable(name()),
            lambda: self.settings.rotate(name()),
            lambda: self.settings.move_receiver(name()),
            self._retime,
            self._retime,
            self._hold_too_much,
            lambda: self.handling.flush(name(), chat()),
            lambda: self.handling.retry(name(), number()),
            lambda: self.handling.retry(name(), number()),
            lambda: self.handling.retry_dead_letters(name()),
            lambda: self.handling.discard(name(), number()),
            lambda: self.handling.discard(name(), number()),
            lambda: self.repeats.resend(name(), number()),
            lambda: self.repeats.replay(name(), ("dead_letter",)),
            self._cancel_at_once,
            self._resend_to_a_rejecting_one,
            self._crash_while_replaying,
            lambda: self.handling.delete_chat(name(), chat()),
            lambda: self.handling.delete_chat(name(), chat()),
            lambda: self.handling.delete_workspace(name()),
            lambda: self.handling.test(name()),
            self._post_many,
            self.settings.make_all,
            *self.several.commands(self.rng),
        ]

    def _cancel_at_once(self) -> None:
        """A replay of a webhook that sends nothing is cancelled before anything of it was sent."""
        name = self._name()
        self._make_busy(name, "well")
        self.scene.advance(MINUTE_MS)
        self.settings.disable(name)
        self.repeats.resend(name, 9)
        self.repeats.give_up(name, 0)
        self.repeats.replay(name, BOTH)
        self.repeats.cancel(name)
        self.settings.enable(name)

    def _resend_to_a_rejecting_one(self) -> None:
        name = self._name()
        self._make_busy(name, "well")
        self.scene.advance(MINUTE_MS)
        self.troubles.mood(name, "rejecting")
        self.repeats.resend(name, 9)
        self.scene.advance(10 * MINUTE_MS)
        self.troubles.mood(name, "well")

    def _crash_while_replaying(self) -> None:
        name = self._name()
        self._make_busy(name, "well")
        when, states = self.rng.choice(("before", "after")), self.rng.choice((BOTH, BOTH[:1]))
        self.troubles.crash_while_moving(when, lambda: self.repeats.replay(name, states), CUT)

    def _retime(self) -> None:
        name = self._name()
        self.posting.post((name, self._chat(), self._new(2)))
        self.settings.set_length(name, self._length())

    def _hold_too_much(self) -> None:
        name = self._name()
        self.settings.disable(name)
        for count in (HELD_MAX - 10, 10, 10):
            self.posting.post((name, "c", self._new(count)))

    # ---- what goes wrong

    def _change_mood(self) -> None:
        """Half of the new moods are `well`, so that later faults meet a working receiver."""
        mood = self.rng.choice(("well", self.rng.choice(MOODS)))
        self.troubles.mood(self._name(), mood)
        if self.rng.random() < 0.2:
            self.troubles.mail_mood(self.rng.choice(("well", *MAIL_MOODS)))

    def _troubles(self) -> list[Callable[[], None]]:
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
            lambda: troubles.lose_a_mails_answer(self._name(), self._make_busy),
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
        self._post()

    def _end_while_sending(self, end: Callable[[int], None]) -> None:
        self._make_busy(self._name(), "slow")
        end(self._down_ms())

    def _start_over_while_sending(self) -> None:
        """The attempt under way must not count after the start over, whatever its outcome."""
        name = self._name()
        self._make_busy(name, "silent")
        start_over = self.rng.choice((self.settings.enable, self.settings.move_receiver))
        start_over(name)
        self.scene.advance(MINUTE_MS)

    def _crash_while_moving(self) -> None:
        """After a day of rejections or without, everything held is discarded or queued again."""
        name = self._name()
        if self.rng.random() < 0.5:
            self._make_busy(name, "rejecting")
            self.scene.advance(10 * MINUTE_MS)
        self.settings.disable(name)
        self.posting.post((name, "c", self._new(3)))
        self.handling.flush(name, "c")
        when, discard = self.rng.choice(("before", "after")), self.rng.random() < 0.5
        self.troubles.crash_while_moving(when, lambda: self.settings.enable(name, discard=discard))

    def _delete_dead_letters(self) -> None:
        name = self._name()
        self._make_busy(name, "rejecting")
        self.scene.advance(10 * MINUTE_MS)
        self.handling.delete_chat(name, "c")

    def _damage(self) -> None:
        name = self._name()
        self._make_busy(name, "broken")
        self.scene.advance(1_000)
        self.troubles.damage(name)

    def _stand_still(self) -> None:
        """Time limits pass while the loop stands still: once, or more often than is forgiven."""
        name = self._name()
        self._make_busy(name, "silent")
        self.scene.world.stalls.begin()
        self.scene.advance(self.rng.choice((20_000, 25 * MINUTE_MS)))
        self.scene.world.stalls.end()

    def _be_allergic(self) -> None:
        """One delivery or another makes its receiver fail, and others wait behind it."""
        name = self._name()
        self._make_busy(name, "allergic")
        for count in range(5):
            self.posting.post((name, f"{count}", self._new(1)))
            self.handling.flush(name, f"{count}")
        self.scene.advance(2 * HOUR_MS)

    def _make_busy(self, name: str, mood: str) -> None:
        """The receiver is in that mood and has a request to answer."""
        self.settings.enable(name, discard=self.rng.random() < 0.5)
        self.troubles.mood(name, mood)
        self.posting.post((name, "c", self._new(1)))
        self.handling.flush(name, "c")

    def _name(self) -> str:
        return self.rng.choice(NAMES)

    def _chat(self) -> str:
        return self.rng.choice(CHATS)

    def _number(self) -> int:
        return self.rng.randint(0, 9)

    def _length(self) -> int:
        return self.rng.choice((0, 90_000, HOUR_MS, 6 * HOUR_MS, DAY_MS))

    def _down_ms(self) -> int:
        return self.rng.choice((0, 3_000, 20 * MINUTE_MS, 7 * HOUR_MS))

    def _while_ms(self) -> int:
        return self.rng.choice((2_000, MINUTE_MS, 5 * MINUTE_MS))
