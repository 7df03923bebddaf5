"""Turns for what anybody may cause: some at once, then so many a second for each owner.

Who comes too often waits, which costs nobody anything, and is not refused for it: behind the same
address may be somebody who comes for the first time. Only who would wait for too long is. Who came
with good reason gives the turn back. The rule is the generic cell rate algorithm of ITU-T I.371.
"""

PER_S = 20.0
AT_ONCE = 64
WAIT_S_MAX = 2.0
OWNERS_MAX = 4_096


class Turns:
    """Belongs to one thread."""

    def __init__(self) -> None:
        self._next_s: dict[str, float] = {}

    def wait_s(self, owner: str, now_s: float) -> float | None:
        """In how many seconds it is the owner's turn; None if that is too late, so that it has
        none. `now_s`: of a clock that never goes back."""
        if len(self._next_s) >= OWNERS_MAX and owner not in self._next_s:
            self._forget(now_s)
        next_s = max(self._next_s.get(owner, 0.0), now_s - AT_ONCE / PER_S)
        wait_s = max(next_s - now_s, 0.0)
        if wait_s > WAIT_S_MAX:
            return None
        self._next_s[owner] = next_s + 1 / PER_S
        return wait_s

    def give_back(self, owner: str) -> None:
        """It had its turn with good reason: that one does not count."""
        if owner in self._next_s:
            self._next_s[owner] -= 1 / PER_S

    def _forget(self, now_s: float) -> None:
        """Those of whom nothing is to be known any more; all, if they are too many still."""
        since_s = now_s - AT_ONCE / PER_S
        self._next_s = {owner: at_s for owner, at_s in self._next_s.items() if at_s > since_s}
        if len(self._next_s) >= OWNERS_MAX:
            self._next_s.clear()
