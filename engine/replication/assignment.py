"""Which node owns which partition, and which hold copies: pure, and the same on every node.

Each node computes it from the nodes that it knows to live. Two nodes whose views differ for a
moment both want a partition; one of their claims counts, and the other loses nothing.

Rendezvous hashing: each partition ranks the nodes by a hash of both names, and is owned by the
first that has room. When a node leaves, only its own partitions go elsewhere, but for few that
have to give way to them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from hookbundle.engine.replication.roles import BEHIND_MAX

YIELDS_AT_ONCE = 2


def partition_of(workspace_id: str, partitions: int) -> int:
    """The partition of a workspace; never changes."""
    return _hash(workspace_id) % partitions


def ranking(partition: int, nodes: Iterable[str]) -> list[str]:
    """The nodes, the one first that the partition likes best."""
    return sorted(nodes, key=lambda node: (_hash(f"{partition}/{node}"), node))


def assign(partitions: int, nodes: Sequence[str], copies: int) -> list[tuple[str, ...]]:
    """For each partition its owner, then those that hold a copy beside it: `copies` in sum.

    No node owns more than its share, rounded up. Empty tuples if there is no node.
    """
    if not nodes:
        return [()] * partitions
    most = -(-partitions // len(nodes))
    owned: Counter[str] = Counter()
    assigned = []
    for partition in range(partitions):
        ranked = ranking(partition, nodes)
        owner = next(node for node in ranked if owned[node] < most)
        owned[owner] += 1
        others = [node for node in ranked if node != owner]
        assigned.append((owner, *others[: copies - 1]))
    return assigned


def as_given(
    assigned: Sequence[tuple[str, ...]], given: Mapping[str, Mapping[int, int]]
) -> list[tuple[str, ...]]:
    """The same, but that a partition is owned by the node that it was given to by command.

    `given`: to each node that may own something, which partitions, and in which epoch of theirs; of
    two the later one counts. No other partition moves by that, so a node may own more than its
    share.
    """
    return [
        (node, *[other for other in nodes if other != node][: len(nodes) - 1])
        if (node := given_to(partition, given))
        else nodes
        for partition, nodes in enumerate(assigned)
    ]


def given_to(partition: int, given: Mapping[str, Mapping[int, int]]) -> str:
    """To which of the nodes the partition was given by command, at last; "" if to none."""
    found = [(each[partition], node) for node, each in given.items() if partition in each]
    return max(found)[1] if found else ""


def claimant(
    partition: int, assigned: Sequence[str], having: Iterable[str], nodes: Iterable[str]
) -> str:
    """Who is to claim a partition that has no live owner; "" if there is no node.

    The one that it is assigned to, if that has a fresh copy (`having`) or nobody has; else, so that
    callers do not wait until a copy is made or has caught up, the one of those that have one that
    the partition likes best. It is given to the other as soon as that has caught up.
    """
    if not assigned:
        return ""
    ready = set(having)
    if not ready or assigned[0] in ready:
        return assigned[0]
    return next((node for node in ranking(partition, nodes) if node in ready), assigned[0])


def yields(
    owners: Mapping[int, str],
    assigned: Sequence[tuple[str, ...]],
    behind: Mapping[tuple[int, str], int],
    under_way: int,
) -> list[tuple[int, str]]:
    """Partitions that their live owners are asked to give away now, and to whom.

    `owners`: the live owner of each partition that has one. `behind`: how many entries the copy of
    a node is behind; a node without a copy is not in it. `under_way`: yields that have not ended.
    """
    wanted = [
        (partition, nodes[0])
        for partition, nodes in enumerate(assigned)
        if nodes and partition in owners and owners[partition] != nodes[0]
    ]
    ready = [each for each in wanted if behind.get(each, BEHIND_MAX) < BEHIND_MAX]
    return ready[: max(YIELDS_AT_ONCE - under_way, 0)]


def may_claim(owner_life: str, lives: Mapping[str, str], *, is_released: bool) -> bool:
    """Whether a node may claim a partition that is assigned to it.

    `owner_life`: of the process whose claim was the last to count, "" if there is none. `lives`:
    the live nodes and the lives that they are in. A node that was started again is in another life,
    and does not own what it owned before. A live owner is never claimed from. What was released has
    no owner; whom it was released to may have left, or have been passed over, meanwhile.
    """
    return is_released or owner_life not in lives.values()


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
