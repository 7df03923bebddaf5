"""What a source is answered."""

import msgspec


class SourceAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of a request. All but the first three are left out where there is none.

    `skipped`: messages with an attachment or without text. `edited`, `deleted`, `late`, `waiting`:
    as intake answers. `ignored`: events that are no messages, by reason. `invalid`: messages that
    could not be taken; the source's last requests say why.
    """

    accepted: int
    duplicate: int
    skipped: int
    edited: int = 0
    deleted: int = 0
    late: int = 0
    waiting: int = 0
    ignored: dict[str, int] = {}
    invalid: int = 0
