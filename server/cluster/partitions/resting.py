"""For how long a broken copy is left alone: longer each time, or a full disk would keep it busy.

To try a copy again that was kept costs one commit that fails; to make one anew may write as much as
the disk takes, so that is done rarely.
"""

from dataclasses import dataclass

from hookbundle.engine.replication.roles import Role

FIRST_S, MOST_S, KEPT_MOST_S = 5.0, 300.0, 20.0
TIMES_MAX = 10  # that count: by then it is left alone for as long as ever
FORGOTTEN_S = 60.0  # after which a copy that has not been broken counts as sound


@dataclass(slots=True)
class Rest:
    """`times`: how often in a row it was broken, up to TIMES_MAX. `until_s`: not looked at before.
    `is_over`: it was looked at since."""

    times: int = 0
    until_s: float = 0.0
    is_over: bool = True


class Resting:
    """Of the partitions of a node, by number. Times are of any clock that only goes on."""

    def __init__(self) -> None:
        self._rests: dict[int, Rest] = {}

    def rests(self, number: int, role: Role, now_s: float, *, is_kept: bool = False) -> bool:
        """Whether the copy is not to be looked at now; it is looked at if not. `is_kept`: a broken
        one is gone on with, and not made anew."""
        if role not in (Role.BROKEN, Role.STOPPED):
            rest = self._rests.get(number)
            if rest is not None and now_s > rest.until_s + FORGOTTEN_S:
                del self._rests[number]
            return False
        rest = self._rests.setdefault(number, Rest())
        if rest.is_over:
            most_s = KEPT_MOST_S if is_kept else MOST_S
            rest.until_s = now_s + min(FIRST_S * 2**rest.times, most_s)
            rest.times = min(rest.times + 1, TIMES_MAX)
            rest.is_over = False
        rest.is_over = now_s >= rest.until_s
        return not rest.is_over
