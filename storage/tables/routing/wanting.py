"""Which of the new messages the filter of a webhook keeps, judged when they are accepted."""

from collections.abc import Sequence

from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.unit import Unit

# What judging weighs; see costs.py. To look for a word takes a microsecond for 2,000 characters.
JUDGING_WEIGHT = 1
CHARS_PER_WEIGHT = 2_000


class Judged:
    """The messages of one transition, each decoded once for all filters of the workspace."""

    def __init__(self, unit: Unit, messages: Sequence[Incoming]) -> None:
        self._unit = unit
        self._messages = messages
        self._subjects = [
            Subject(account=each.account, chat=each.chat, message=each.message, extra=each.extra)
            for each in messages
        ]

    def wanted(self, stored: bytes) -> Sequence[Incoming]:
        """Those that the stored filter keeps. Whose filter takes long pays by its turns."""
        keeps = compiled(stored).keeps
        pairs = zip(self._messages, self._subjects, strict=True)
        kept = [message for message, subject in pairs if keeps(subject)]
        self._unit.weight += JUDGING_WEIGHT * len(self._messages)
        return kept

    def weigh(self) -> None:
        """The unit knows what the words in texts have cost."""
        looked = sum(subject.looked_through for subject in self._subjects)
        self._unit.weight += looked // CHARS_PER_WEIGHT
