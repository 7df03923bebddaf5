"""Who should own and hold what, looked at several times a second, and told to the roles.

Pure rules are in engine/replication/assignment.py; here they meet what is heard of the nodes. Two
nodes may see different things for a moment: one of their claims counts.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from hookbundle.actors.replication.messages import Look, Yield
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.engine.replication.assignment import assign, claimant, given_to, yields
from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.roles import Role, fresh
from hookbundle.server.cluster.neighbours import Neighbours
from hookbundle.server.cluster.partitions.holding import (
    Furthest,
    behind_of,
    copies_of,
    has_another_owner,
    held_by,
    staying,
    stopped_at,
)
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.cluster.partitions.news import News
from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.server.cluster.partitions.resting import Resting
from hookbundle.server.cluster.partitions.views import Views

LOOK_S = 0.25
ROOM_AGAIN = 2  # times the floor: from there on a node that had no room takes partitions again

log = structlog.get_logger(__name__)


class Assigning:
    """`start()`, then `close()`. `hosts`: of all partitions, by their numbers."""

    def __init__(
        self,
        node: str,
        life: str,
        copies: int,
        dead_after_s: float,
        floor_bytes: int,
        hosts: Mapping[int, PartitionHost],
        neighbours: Neighbours,
        failed: Callable[[Exception], None],
    ) -> None:
        """`floor_bytes`: of room on the disk; with less the node gives away what it owns. `failed`
        hears why the node can't go on."""
        self._failed = failed
        self._node = node
        self._life = life
        self._views = Views(life, len(hosts), copies)
        self._news = News(hosts, lambda number: self._look(number, neighbours.live()))
        self._dead_after_s = dead_after_s
        self._floor_bytes = floor_bytes
        self._resting = Resting()
        self._is_full = False
        self._keeps_none = False
        self._given: dict[int, int] = {}
        self._doubtful: set[int] = set()
        self._stopped: dict[int, list[str]] = {}
        self._confirming: dict[int, asyncio.Task[None]] = {}
        self._hosts = hosts
        self._neighbours = neighbours
        self._looking: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._yielding: set[tuple[int, int]] = set()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        self.drains = False
        self.furthest = Furthest()

    def start(self) -> None:
        for number in self._hosts:
            self._neighbours.news_of(number, partial(self._news.heard, number))
        self._task = asyncio.create_task(self._go_on(), name="assignment")

    async def close(self) -> None:
        self._is_closed = True
        tasks = [*self._looking.values(), *self._confirming.values(), *self._news.close()] + (
            [self._task] if self._task else []
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def held(self) -> dict[int, Held]:
        """What this node says of itself."""
        return {
            number: held
            for number, host in self._hosts.items()
            if (held := held_by(host)).role is not Role.ABSENT
        }

    def given(self) -> Mapping[int, int]:
        """What this node was given by command, and in which epoch of the partition."""
        return self._given

    def take(self, number: int, epoch: int) -> None:
        """The partition is to be this node's until that ends, or it is given to another one."""
        self._given[number] = epoch

    def take_no_more(self, number: int) -> None:
        """It is owned by whom it is assigned to."""
        self._given.pop(number, None)

    async def keep_none(self, *, undo: bool) -> None:
        """The node gives away what it owns, and takes nothing while another one could."""
        self._keeps_none = not undo
        self._given.clear()
        await self._neighbours.leave(leaves=self._keeps_none or self._is_full)

    def give_away(self, number: int, to: str) -> None:
        """The partition is yielded; nothing happens if it is not owned."""
        self._hosts[number].role.actor_ref.tell(Yield(to=to))

    def heir_of(self, number: int) -> str:
        """Who would own the partition without this node; "" if nobody is there."""
        others = [name for name in staying(self._neighbours.live()) if name != self._node]
        return assign(len(self._hosts), others, 1)[number][0] if others else ""

    async def _go_on(self) -> None:
        while True:
            try:
                if (fault := self._neighbours.has_failed()) is not None:
                    self._failed(fault)
                live = self._neighbours.live()  # once: it asks all partitions of this node
                self._confirm_what_is_doubtful(live)
                if not self.drains and await self._looked_at_disk(live[self._node].free_bytes):
                    live = self._neighbours.live()
                self.furthest.note(live)
                self._forget_given(live)
                for number, host in self._hosts.items():
                    if self._rests(number):
                        continue
                    if not self._views.is_quiet(number, host, live, drains=self.drains):
                        self._look(number, live)
                if not self.drains:
                    self._rebalance(live)
            except Exception as exc:
                log.error("assignment not looked at", exc_info=exc)
            await asyncio.sleep(LOOK_S)

    def is_doubtful(self, number: int) -> bool:
        """Whether others may own by now what this node owns, as far as it knows itself."""
        is_stale = self._neighbours.unheard_s() > self._dead_after_s
        return is_stale or number in self._doubtful

    def is_stopped(self, number: int) -> bool:
        return bool(stopped_at(self._neighbours.live(), number))

    def _confirm_what_is_doubtful(self, live: Mapping[str, Beat]) -> None:
        """A node that has not heard itself for so long that it may have been taken for dead asks
        the log before it answers again; so does one that hears another owner, or of a copy that has
        what the log has not. It is fenced there, if it has lost the partition, or the log has lost
        something."""
        is_stale = self._neighbours.unheard_s() > self._dead_after_s
        for number, host in self._hosts.items():
            if host.role.state.role is not Role.OWNER:
                self._doubtful.discard(number)
            elif is_stale or has_another_owner(live, self._node, number, held_by(host).epoch):
                self._doubtful.add(number)
            elif (stopped := stopped_at(live, number)) != self._stopped.get(number, []):
                self._stopped[number] = stopped
                self._doubtful |= {number} if stopped else set()
            if number in self._doubtful and not is_stale and number not in self._confirming:
                self._confirming[number] = asyncio.create_task(self._confirmed(number))

    async def _confirmed(self, number: int) -> None:
        try:
            await self._hosts[number].confirmed()
            self._doubtful.discard(number)
        except HookbundleError as exc:
            log.info("partition not confirmed", partition=number, why=in_words(exc))
        finally:
            del self._confirming[number]

    async def _looked_at_disk(self, free: int) -> bool:
        """A node without room says that it leaves, until it has room again; it goes on following.
        Whether it has just said so, or the contrary. `free`: bytes.

        If all say so, nothing is assigned by that: each keeps what it has, and refuses messages.
        """
        least = self._floor_bytes * (ROOM_AGAIN if self._is_full else 1)
        if (free < least) == self._is_full:
            return False
        self._is_full = not self._is_full
        log.warning(
            "the disk is nearly full: partitions are given away"
            if self._is_full
            else "the disk has room again",
            free_bytes=free,
        )
        await self._neighbours.leave(leaves=self._keeps_none or self._is_full)
        return True

    def _rests(self, number: int) -> bool:
        """Whether a copy broke or stopped, and it is too soon to look again."""
        if number in self._looking:
            return False
        state, now_s = self._hosts[number].role.state, asyncio.get_running_loop().time()
        is_kept = state.may_have_one or state.role is Role.STOPPED
        return self._resting.rests(number, state.role, now_s, is_kept=is_kept)

    # ---- one look

    def _look(self, number: int, live: Mapping[str, Beat]) -> None:
        """A look that is under way is followed by another one, and not by as many as were asked."""
        if self._is_closed:
            return
        if number in self._looking:
            self._again.add(number)
            return
        task = asyncio.create_task(self._told(number, live))
        self._looking[number] = task

    async def _told(self, number: int, live: Mapping[str, Beat]) -> None:
        host = self._hosts[number]
        try:
            while True:
                self._again.discard(number)
                await host.role.actor_ref.ask(self._wanted(number, live), block=False)
                if number not in self._again:
                    return
                live = self._neighbours.live()
        except HookbundleError as exc:
            log.warning("log not read", partition=number, error=in_words(exc))
        except Exception as exc:
            log.error("log not read", partition=number, exc_info=exc)
            if not self._is_closed and not host.role.actor_ref.is_alive():
                # Nobody would give its partition away. Others take all over, and it starts anew.
                self._failed(exc)
        finally:
            del self._looking[number]

    def _wanted(self, number: int, live: Mapping[str, Beat]) -> Look:
        names = staying(live)
        assigned = self._views.assigned(live)[number]
        copies = copies_of(live, number)
        owns = claimant(number, assigned, fresh(copies), names) == self._node
        # A node that leaves, for a restart or for good, follows on with the copies that it has.
        stays = live[self._node].leaves and self._hosts[number].role.state.role is not Role.ABSENT
        return Look(
            holds=self._node in assigned or number == OF_ALL or stays,
            # Who claimed while another node has more than the log would lose that for good.
            owns=owns
            and not self.drains
            and not stopped_at(live, number)
            and self._neighbours.heard_s() > 0,
            lives={name: each.life for name, each in live.items()} | {self._node: self._life},
            judges=self._neighbours.heard_s() >= self._dead_after_s,
            assigned=assigned,
            copies=copies,
            schema=self._neighbours.schema,
            furthest=self.furthest.of(number),
        )

    # ---- what is given away

    def _forget_given(self, live: Mapping[str, Beat]) -> None:
        """What was given to another node later is not this one's, whatever becomes of that."""
        given = {name: each.given for name, each in live.items()}
        for number in [each for each in self._given if given_to(each, given) != self._node]:
            self.take_no_more(number)

    def _rebalance(self, live: Mapping[str, Beat]) -> None:
        owned = {
            number: held_by(host).epoch
            for number, host in self._hosts.items()
            if host.role.state.role is Role.OWNER
        }
        # By epochs: one that is owned again since was given away.
        self._yielding &= set(owned.items())
        assigned = self._views.assigned(live)
        behind = {
            (number, name): lag
            for number in owned
            for name, each in live.items()
            if (lag := behind_of(live[self._node], each, number)) is not None
        }
        owners = dict.fromkeys(owned, self._node)
        for number, to in yields(owners, assigned, behind, len(self._yielding)):
            if (number, owned[number]) not in self._yielding:
                self._yielding.add((number, owned[number]))
                log.info("partition given away", partition=number, to=to)
                self.give_away(number, to)
