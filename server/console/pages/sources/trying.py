"""The settings in the form, tried on a body that was pasted, before anything is saved."""

from dataclasses import dataclass

from hookbundle.engine.errors import Fault
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.intake.trying import UNREADABLE, TriedEvent
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.server.console import forms as posted
from hookbundle.server.console.pages.sources import fields, forms, outcomes
from hookbundle.server.console.visits import Visit
from hookbundle.server.http.resources.sources.trying import SourceTrials


@dataclass(frozen=True, slots=True)
class Tried:
    """`events`: each with the English words of its outcome, which catalogues know. `total`: of all
    events, of which the first are shown. `forgets`: a secret was typed, which is never shown again.
    """

    events: list[tuple[TriedEvent, str]]
    total: int
    is_unreadable: bool
    faults: list[Fault]
    forgets: bool


@dataclass(frozen=True, slots=True)
class SourceTrying:
    trials: SourceTrials

    async def tried(self, visit: Visit, kind: str, present: SourceSettings | None) -> Tried:
        """What would come of the body in the form. Raises: as SourceTrials.tried."""
        wanted = forms.filled(kind, visit.form, present)
        settings = source_settings.parse(kind, wanted, present)
        # A line that was pasted behind it is nothing of the other system's.
        body = visit.form.get(forms.BODY, "").strip().encode("utf-8", "replace")
        found = await self.trials.tried(visit.request, visit.ws, kind, settings, body)
        return Tried(
            [(each, outcomes.words(each.outcome)) for each in found.events],
            found.counts.total(),
            UNREADABLE in found.counts,
            found.faults,
            _has_a_secret(kind, visit.form),
        )


def is_asked(form: posted.Form) -> bool:
    """Whether the form is to be tried, not saved."""
    return form.get("do") == "try"


def _has_a_secret(kind: str, form: posted.Form) -> bool:
    secrets = (each for each in fields.inputs_of(kind) if each.form is fields.Form.SECRET)
    return any(form.get(each.name) for each in secrets)
