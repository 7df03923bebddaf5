"""Of a random life: formats that come and change, and what comes of rendering a body."""

import random
from typing import Any

from hookbundle.engine.formats.jobs import NoRecord
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt, Render
from hookbundle.storage.transitions.rendering.storing import Made, Rests, StoreBody
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.storage.random_webhooks import RandomWebhooks
from hookbundle.tests.storage.transitions.rendering.rendered import (
    BROKEN,
    NOTE,
    OTHER,
    rendered_plainly,
)

FORMATS = (None, NOTE, OTHER)
OPTIONS = (None, None, b"", b'{"owner":"7"}')


class RandomFormats(RandomWebhooks):
    """Draws of its own, so that a life is the same but for its formats."""

    flights: dict[int, Begun]
    renders: dict[int, Render]
    formats: bool

    def limits(self) -> dict[str, Any]:
        if not self.formats:
            return super().limits()
        rng = random.Random(self.now_ms + 1)
        chosen = {"format": rng.choice(FORMATS), "format_options": rng.choice(OPTIONS)}
        return {**super().limits(), **chosen}

    def storing(self, render: Render) -> StoreBody:
        """Most can be rendered."""
        rng = random.Random(self.now_ms + 2)
        rests = Rests(self.now_ms + 60_000, "limits")
        mades: tuple[Made, ...] = (rendered_plainly(render.job), BROKEN, NoRecord(), rests)
        return StoreBody(
            webhook=render.webhook,
            delivery=render.delivery,
            format=render.job.format,
            options=render.job.options,
            made=rng.choices(mades, weights=(8, 8, 2, 1))[0],
            now_ms=self.now_ms,
        )

    def note(self, transition: Transition, outcome: object) -> None:
        """The webhook's next step is known."""
        if isinstance(transition, BeginAttempt | FinishAttempt | StoreBody):
            self.flights.pop(transition.webhook, None)
            self.renders.pop(transition.webhook, None)
            if isinstance(outcome, Begun):
                self.flights[transition.webhook] = outcome
            if isinstance(outcome, Render):
                self.renders[transition.webhook] = outcome
