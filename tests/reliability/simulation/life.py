"""A simulated life of the daemon: its seed alone decides what happens, and when."""

from collections.abc import Callable
from random import Random

from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.peers import MAIL_MOODS, MOODS
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.repeats import BOTH, CUT, Repeats
from hookbundle.tests.reliability.simulation.rules.mishaps import Mishaps
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
        self.settings = Settings(self.scene, plain=False)
        self.handling = Handling(self.scene)
        self.troubles = Troubles(self.scene)
        self.repeats = Repeats(self.scene)
        parts = self.posting, self.settings, self.handling
        self.several = Several(self.scene, *parts, self._new)
        self.mishaps = Mishaps(self.rng, self.scene, *parts, self._new)
        self._messages = 0
        self._bag: list[Callable[[], None]] = []
        self._bags = 0
        self.settings.make_all()

    def run(self, days: int) -> str:
        """`days` pass, or 0: until all actions of the bag were done. Everything accepted was
        delivered then. Returns the hash of the trace."""
        began_s, last_day = self.scene.world.loop.time(), 0
        actions, weights = zip(*self._actions(), strict=True)
        while (day := int((self.scene.world.loop.time() - began_s) * 1_000) // DAY_MS) < days or (
            not days and (self._bag or not self._bags)
        ):
            self.rng.choices(actions, weights)[0]()
            self.scene.advance(self.rng.choice(PAUSES_MS))
            if day > last_day:
                last_day = day
                self.scene.check_all()
        self.settings.make_all()
        self.scene.drain(self.several.let_all_go)
        return self.scene.world.trace_hash()

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
            self._bag = [*self._commands(), *self.mishaps.commands()]
            self._bags += 1
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
            self._handle_dead_letters,
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

    def _handle_dead_letters(self) -> None:
        """One is retried, another is discarded."""
        name = self.mishaps.ready()
        self.mishaps.make_busy(name, "rejecting")
        self.posting.post((name, "ca", self._new(1)))
        self.handling.flush(name, "ca")
        self.scene.advance(20 * MINUTE_MS)
        self.handling.discard(name, 1)
        self.troubles.mood(name, "well")
        self.handling.retry(name, 0)

    def _cancel_at_once(self) -> None:
        """A replay of a webhook that sends nothing is cancelled before anything of it was sent."""
        name = self._name()
        self.mishaps.make_busy(name, "well")
        self.scene.advance(MINUTE_MS)
        self.settings.disable(name)
        self.repeats.resend(name, 9)
        self.repeats.give_up(name, 0)
        self.repeats.replay(name, BOTH)
        self.repeats.cancel(name)
        self.settings.enable(name)

    def _resend_to_a_rejecting_one(self) -> None:
        name = self._name()
        self.mishaps.make_busy(name, "well")
        self.scene.advance(MINUTE_MS)
        self.troubles.mood(name, "rejecting")
        self.repeats.resend(name, 9)
        self.scene.advance(10 * MINUTE_MS)
        self.troubles.mood(name, "well")

    def _crash_while_replaying(self) -> None:
        name = self._name()
        self.mishaps.make_busy(name, "well")
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

    def _name(self) -> str:
        return self.rng.choice(NAMES)

    def _chat(self) -> str:
        return self.rng.choice(CHATS)

    def _number(self) -> int:
        return self.rng.randint(0, 9)

    def _length(self) -> int:
        return self.rng.choice((0, 90_000, HOUR_MS, 6 * HOUR_MS, DAY_MS))
