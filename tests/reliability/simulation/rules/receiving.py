"""What receivers want: another format, and other answers that count as delivered."""

from collections.abc import Callable
from random import Random

from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.peers import OF_ANSWERS
from hookbundle.tests.reliability.simulation.posting import Posting
from hookbundle.tests.reliability.simulation.rules.forms import FORMS
from hookbundle.tests.reliability.simulation.rules.takes import TAKES
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.settings import NAMES, Settings
from hookbundle.tests.reliability.simulation.tenants import SEED
from hookbundle.tests.reliability.simulation.troubles import Troubles
from hookbundle.tests.reliability.simulation.virtual_time import HOUR_MS, MINUTE_MS

WHOLE = tuple(name for name, form in FORMS.items() if form.most > 1 and not form.skips)
BUNDLED = ("short", "long")  # of which all is wanted
ANSWERS = ("created", *OF_ANSWERS)

New = Callable[[int], tuple[tuple[int, str], ...]]


class Receiving:
    """`new` makes so many new messages."""

    def __init__(
        self, scene: Scene, posting: Posting, settings: Settings, handling: Handling, new: New
    ) -> None:
        self.scene = scene
        self.posting = posting
        self.settings = settings
        self.handling = handling
        self.troubles = Troubles(scene)
        self.new = new

    def commands(self, rng: Random) -> list[Callable[[], None]]:
        """Each once, with what chance gives it."""
        draw = rng.choice
        return [
            lambda: self.change_format(draw(NAMES), draw(WHOLE)),
            lambda: self.render_into_a_crash(draw(NAMES), draw(WHOLE[1:])),
            lambda: self.fail_to_render(draw(BUNDLED), mend=draw((False, True))),
            lambda: self.skip(draw(NAMES)),
            lambda: self.answer(draw(NAMES), draw(list(TAKES)), draw(ANSWERS)),
        ]

    def change_format(self, name: str, form: str) -> None:
        """While a body is rendered."""
        self._begin(name, "text")
        self._seal(name, 2)
        if self._renders:
            self.scene.planned.saw("format changed while rendering")
        self.settings.set_form(name, FORMS[form])

    def render_into_a_crash(self, name: str, form: str) -> None:
        """The power fails while a body is rendered, and again after its attempt has begun."""
        self._begin(name, form)
        self.troubles.mood(name, "slow")
        self._seal(name, 2)
        if self._renders:
            self.scene.planned.saw("crash while rendering")
        self.troubles.crash(0)
        self.scene.advance(3_000)
        self.troubles.crash(0)
        self.troubles.mood(name, "well")

    def fail_to_render(self, name: str, *, mend: bool) -> None:
        """One that can't be rendered, between two that can; `mend`: then it gets another format."""
        self._begin(name, "one only")
        self.settings.set_length(name, HOUR_MS)
        self.troubles.mood(name, "slow")
        for count in (1, 2, 1):
            self._seal(name, count)
        self.scene.advance(MINUTE_MS)
        self.troubles.mood(name, "well")
        if mend:
            self.settings.set_form(name, FORMS["lines"])

    def skip(self, name: str) -> None:
        """What its format knows nobody for is not sent; then it gets the seed's body."""
        self._begin(name, "nobody's")
        self._seal(name, 2)
        self.scene.advance(MINUTE_MS)
        self.settings.set_form(name, SEED)

    def answer(self, name: str, takes: str, mood: str) -> None:
        self._begin(name, "lines")
        self.settings.set_takes(name, TAKES[takes])
        self.troubles.mood(name, mood)
        self._seal(name, 1)
        self.scene.advance(10 * MINUTE_MS)
        self.troubles.mood(name, "well")

    @property
    def _renders(self) -> bool:
        """Whether a body is being rendered."""
        return self.scene.world.renders

    def _begin(self, name: str, form: str) -> None:
        """Nothing is in the way of the webhook, and it has the format."""
        self.scene.relieve()
        self.settings.make(name)
        self.troubles.mood(name, "well")
        self.settings.set_form(name, FORMS[form])
        self.settings.enable(name, discard=True)

    def _seal(self, name: str, count: int) -> None:
        self.posting.post((name, "c", self.new(count)))
        self.handling.flush(name, "c")
