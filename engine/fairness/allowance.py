"""So many uses within any period of time, for each owner."""

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import TooManyRequests

Owner = TypeVar("Owner", bound=Hashable)

OWNERS_SWEPT_AT = 1_000


class Allowance(Generic[Owner]):
    """`what` is had so often. Belongs to one thread.

    In memory: a start of the daemon begins anew. `used`: by all owners, as far as it still counts.
    `refused_owner`: how often one was refused.
    """

    refused_all = 0  # nobody is refused for what others used

    def __init__(self, name: str, what: Term, most: int, period_ms: int) -> None:
        self.name = name
        self.refused_owner = 0
        self._what = what
        self._most = most
        self._period_ms = period_ms
        self._uses: dict[Owner, deque[int]] = {}
        self._swept_at = OWNERS_SWEPT_AT  # that many owners are known

    @property
    def used(self) -> int:
        return sum(len(uses) for uses in self._uses.values())

    def use(self, owner: Owner, now_ms: int) -> None:
        """One more use is counted.

        Raises: TooManyRequests, which says when the next use is possible.
        """
        if len(self._uses) >= self._swept_at:
            for known in list(self._uses):
                self._forget(known, now_ms)
            self._swept_at = max(OWNERS_SWEPT_AT, 2 * len(self._uses))
        self._forget(owner, now_ms)
        uses = self._uses.setdefault(owner, deque())
        if len(uses) >= self._most:
            self.refused_owner += 1
            wait_s = -((now_ms - uses[0] - self._period_ms) // 1_000)
            raise TooManyRequests.of(
                Code.ALLOWANCE_USED, most=self._most, what=self._what, minutes=-(-wait_s // 60)
            ).after(wait_s)
        uses.append(now_ms)

    def _forget(self, owner: Owner, now_ms: int) -> None:
        uses = self._uses.get(owner)
        while uses and uses[0] <= now_ms - self._period_ms:
            uses.popleft()
        if uses is not None and not uses:
            del self._uses[owner]
