"""What the nodes of a cluster agree on before a group of transitions is committed.

    begin the transaction, apply, collect rows → append them to the log → commit → answer

The log decides: what stands in it is true, whatever becomes of this process; what does not must
never be committed. So between the two, while nobody knows whether an entry stands there, `agree`
waits, and the transaction stays open. Once it stands there, a commit that fails all the same (the
disk is full) must not be tried in another way, which would store the group twice: the copy is
behind, and a follower puts the same rows into it from the log.
"""

from collections.abc import Callable
from types import TracebackType

import lmdb

from hookbundle.engine.errors import StorageError
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected

Agree = Callable[[Collected], Position]
"""Appends a group's rows to the log, and returns where they stand; in the Store's thread.

Raises: Fenced if they do not stand there and never will.
"""


class Agreement:
    """Of one group; the caller has it around the transaction.

    `rows` collects what the group writes; None without a cluster. `behind` is told of the error
    after which the log has the group and the database does not; the error ends there.
    """

    def __init__(self, agree: Agree | None, behind: Callable[[StorageError], None]) -> None:
        self.rows: Collected | None = None if agree is None else {}
        self._agree = agree
        self._behind = behind
        self._is_reached = False

    def reach(self, txn: lmdb.Transaction, *, always: bool) -> None:
        """The group may be committed. `always`: one that changes nothing is agreed on, too.

        Raises: Fenced.
        """
        if self._agree is None or self.rows is None or not (self.rows or always):
            return
        reached = self._agree(self.rows)
        self._is_reached = True
        position.write(txn, reached)

    def __enter__(self) -> "Agreement":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not self._is_reached or not isinstance(error, StorageError):
            return False
        self._behind(error)
        return True


ALONE = Agreement(None, lambda error: None)
"""Of a daemon alone: nobody has to agree."""
