"""Actions on a workspace with several webhooks: what each has for itself, and merges."""

from collections.abc import Callable
from random import Random

from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.rules.receiving import Receiving
from hookbundle.tests.reliability.simulation.rules.sources import Sources
from hookbundle.tests.reliability.simulation.rules.written import FILTERS, WINDOWS
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.settings import NAMES, SEVERAL, Settings
from hookbundle.tests.reliability.simulation.tenants import HELD_MAX
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, MINUTE_MS

OF_HOUSE = tuple(SEVERAL)
BESIDE = OF_HOUSE[1:]
ZONES = ("UTC", "Asia/Jerusalem", "Australia/Lord_Howe", "Europe/Berlin")
QUIETEST = "setup.crm"  # whose bundles may be long
BUDGETS = (0, 4, 20)

New = Callable[[int], tuple[tuple[int, str], ...]]


class Several:
    """`new` makes so many new messages."""

    def __init__(
        self, scene: Scene, posting: Posting, settings: Settings, handling: Handling, new: New
    ) -> None:
        self.scene = scene
        self.posting = posting
        self.settings = settings
        self.handling = handling
        self.new = new
        self.sources = Sources(scene, posting, settings, handling, new)
        self.receiving = Receiving(scene, posting, settings, handling, new)

    def commands(self, rng: Random) -> list[Callable[[], None]]:
        """Each once, or more often, with what chance gives it."""
        draw = rng.choice
        return [
            *[lambda: self.set_windows(draw(OF_HOUSE), draw(list(WINDOWS)))] * 3,
            lambda: self.set_filter(draw(OF_HOUSE), draw(list(FILTERS))),
            lambda: self.make_again(draw(BESIDE)),
            *[lambda: self.merge(draw(OF_HOUSE), cut=draw(("", "before", "after")))] * 2,
            lambda: self.fill(draw(OF_HOUSE)),
            self.want_nothing,
            self.be_never_quiet,
            lambda: self.use_up(draw(OF_HOUSE)),
            lambda: self.settings.set_budget(draw(OF_HOUSE), draw(BUDGETS)),
            lambda: self.change_zone(draw(ZONES[1:])),
            *self.sources.commands(rng),
            *self.receiving.commands(rng),
        ]

    def let_all_go(self) -> None:
        """Enabling leaves the dead letters that made their receiver fail; a retry sends them."""
        self.settings.enable_all()
        for name in NAMES:
            self.handling.retry_dead_letters(name)

    def set_windows(self, name: str, windows: str) -> None:
        """Under open windows, if there are messages for them."""
        self.posting.post((name, "c", self.new(2)), (name, "ca", self.new(1)))
        self.settings.set_windows(name, WINDOWS[windows])

    def set_filter(self, name: str, kept: str) -> None:
        self.posting.post((name, "c", self.new(2)))
        self.settings.set_filter(name, FILTERS[kept])

    def change_zone(self, zone: str) -> None:
        """By way of the first zone, so that it changes."""
        self.scene.relieve()
        self.settings.make("setup")
        self.settings.set_zone("setup", ZONES[0])
        self.settings.set_zone("setup", zone)

    def make_again(self, name: str) -> None:
        """The webhook is deleted with what it holds, and one of the same name is made."""
        self.posting.post((name, "c", self.new(2)))
        self.settings.drop(name)
        self.scene.advance(MINUTE_MS)
        self.settings.make(name)

    def merge(self, name: str, *, cut: str = "") -> None:
        """What a webhook held while it was disabled is merged; with `cut` the power fails then."""
        self.settings.disable(name)
        for _ in range(4):
            self.posting.post((name, "c", self.new(2)), (name, "ca", self.new(1)))
            self.handling.flush(name, "c")
            self.handling.flush(name, "ca")
        self.scene.world.daemon.disk.cut = cut
        self.settings.merge(name)
        self.scene.world.daemon.disk.cut = ""
        self.scene.advance(MINUTE_MS)
        self.settings.enable(name)

    def fill(self, name: str) -> None:
        """One webhook is full: the others get all, and then it has room again."""
        self.settings.disable(name)
        for count in (HELD_MAX - 10, 10, 10, 10):
            self.posting.post((name, "c", self.new(count)))
        self.settings.enable(name, discard=True)
        self.posting.post((name, "c", self.new(1)))

    def want_nothing(self) -> None:
        """Of three messages with different words one is wanted by no webhook."""
        for name in OF_HOUSE:
            self.settings.set_filter(name, FILTERS["no red"])
        self.posting.post(("setup", "c", self.new(3)))
        self.settings.set_filter("setup", FILTERS["all"])

    def be_never_quiet(self) -> None:
        """A window that ends with a silence ends at its maximum."""
        self.settings.set_filter(QUIETEST, FILTERS["c"])
        self.settings.set_windows(QUIETEST, WINDOWS["quiet"])
        for _ in range(7):
            self.posting.post((QUIETEST, "c", self.new(1)))
            self.scene.advance(9 * MINUTE_MS)

    def use_up(self, name: str) -> None:
        """More is sealed than the budget of a day allows; the neighbours send theirs."""
        self.settings.set_budget(name, BUDGETS[1])
        for _ in range(BUDGETS[1] + 2):
            self.posting.post((name, "c", self.new(1)))
            self.handling.flush(name, "c")
        self.scene.advance(DAY_MS)
        self.settings.set_budget(name, BUDGETS[2])
