"""What is said to need a person, of what was heard of a cluster's nodes."""

import dataclasses
import re
from pathlib import Path

from msgspec.structs import replace

from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.cluster import ClusterRecord, NodeRecord
from hookbundle.engine.replication.roles import Role
from hookbundle.server import console
from hookbundle.server.cluster.overview import needs
from hookbundle.server.cluster.overview.needs import Need
from hookbundle.server.cluster.overview.overview import Heard
from hookbundle.server.cluster.versions import Registered
from hookbundle.server.http.schemas.cluster import CheckOfAllOut, CompactionOut, CopyRole

ROOM = 1 << 40
A = Beat("a", "life of a", "1.0", 10_000, ROOM, "", {0: Held(Role.OWNER, 3, "1x0", 5_000)})
B = Beat("b", "life of b", "1.0", 10_000, ROOM, "", {0: Held(Role.FOLLOWING, 3, "1x0", 4_990)})


def words(
    *nodes: Beat,
    partitions: int = 1,
    copies: int = 2,
    hears: bool = True,
    compaction: CompactionOut | None = None,
    check: CheckOfAllOut | None = None,
) -> list[str]:
    live = {each.node: each for each in nodes}
    heard = Heard(
        nodes[0].node, partitions, hears, live, {}, compaction, check=check, copies=copies
    )
    found = heard.judged()[1]
    assert all(each.lines for each in found), "what the page says, the status says too"
    return [each.word for each in found]


def shown(need: Need) -> Need:
    """As the page says it, which has words of its own."""
    return dataclasses.replace(need, lines=())


def of(node: Beat, held: Held) -> Beat:
    return replace(node, held={0: held})


def test_nothing_needs_a_person_while_all_is_as_it_should_be() -> None:
    assert words(A, B) == []
    assert words(A) == []  # one node can't have two copies


def test_what_needs_a_person_is_said() -> None:
    assert words(A, B, hears=False) == ["deaf"]
    assert words(B, partitions=2, hears=False) == ["deaf"]  # of others it does not know
    assert words(B) == ["unowned"]
    assert words(A, B, partitions=2) == ["unowned", "copies"]
    assert words(A, replace(B, held={})) == ["copies"]
    assert words(A, of(B, Held(Role.BROKEN))) == ["copies", "broken"]
    assert words(A, of(B, Held(Role.FOLLOWING, 3, "1x0", 0))) == ["behind"]
    assert words(A, replace(B, wall_ms=5_000)) == ["clock"]
    assert words(A, replace(B, free_bytes=1)) == ["disk"]
    assert words(A, replace(B, version="1.1")) == ["versions"]
    over = CompactionOut(1, 1, "", [], "a", "uid 0", "", stopped=False)
    assert words(A, B, compaction=over) == []
    assert words(A, B, compaction=replace(over, stopped=True)) == ["compaction_stopped"]
    assert words(A, B, compaction=replace(over, left_out=["partition 0"])) == ["left_out"]


def test_a_log_server_that_is_away_is_named_with_the_command_that_looks_at_it() -> None:
    (need,) = Heard("a", 1, True, {"a": A, "b": B}, {}, away=("n2", "n3")).judged()[1]

    assert shown(need) == Need("away", "n2, n3", command="hookbundle doctor")


def test_logs_on_fewer_than_three_servers_are_named() -> None:
    (need,) = Heard("a", 1, True, {"a": A, "b": B}, {}, replicas=1).judged()[1]

    assert shown(need) == Need("replicas", amount=1, command="hookbundle doctor")


def test_what_could_be_written_is_said_once_all_nodes_know_it() -> None:
    cluster, a, b = ClusterRecord(1, "id", 1, 2, 0, ""), NodeRecord("a", "1", 3, 0), "b"

    def needs(*nodes: NodeRecord) -> list[Need]:
        registered = Registered(cluster, list(nodes))
        live = {each.node: each for each in (A, B)}
        heard = Heard("a", 1, True, live, {}, None, cluster.schema, registered)
        return [shown(each) for each in heard.judged()[1]]

    command = "hookbundle cluster upgrade"
    assert needs(a, NodeRecord(b, "1", 3, 0)) == [Need("upgrade", "2", 3, command)]
    assert needs(a, NodeRecord(b, "1", 2, 0)) == [Need("held_back", "b", 3)]
    gone = Need("gone", "c", command="hookbundle cluster forget c")
    assert gone in needs(a, NodeRecord(b, "1", 3, 0), NodeRecord("c", "1", 3, 0))


def test_a_log_that_has_lost_something_is_said_before_all_else() -> None:
    ahead = of(A, Held(Role.STOPPED, 3, "1x0", 5_000))
    live = {"a": ahead, "b": B}

    assert words(ahead, B) == ["stopped"]
    heard = Heard("a", 1, True, live, {}, stopped={0: "it is gone"}, record_lost=True)
    assert [each.word for each in heard.judged()[1]] == ["record", "stopped"]
    seen = heard.overview()
    assert seen.warnings[0].startswith("the log servers have no record of the cluster")
    assert "a has entry 5000 of 1x0, b has entry 4990 of 1x0" in seen.warnings[1]
    assert seen.warnings[2] == "copy 0 has stopped: it is gone"


def test_how_far_a_copy_of_another_generation_is_behind_nobody_can_say() -> None:
    assert words(A, of(B, Held(Role.FOLLOWING, 2, "2x3", 7))) == []


def test_the_api_has_each_role_that_a_node_may_have() -> None:
    assert [each.value for each in CopyRole] == [each.value for each in Role]


def test_a_record_that_its_owner_can_not_read_is_said_by_every_node() -> None:
    damaged = of(A, Held(Role.OWNER, 3, "1x0", 5_000, is_damaged=True))
    live = {"a": damaged, "b": B}
    (need,) = Heard("b", 1, True, live, {}).judged()[1]
    elsewhere = Heard("b", 1, True, live, {}).overview().warnings
    here = Heard("a", 1, True, live, {}, damaged={0: "key 7"}).overview().warnings

    assert shown(need) == Need("damaged", "0 (a)", command="hookbundle cluster check")
    assert "a can't read a record of partition 0" in elsewhere[0]
    assert [each.startswith("a record of partition 0 can't be read: key 7") for each in here] == [
        True
    ]


def test_many_partitions_with_the_same_need_are_said_once() -> None:
    roles = {number: Held(Role.STOPPED, 3, "1x0", 5_000) for number in range(32)}
    ahead = replace(A, held=roles)
    needs = Heard("a", 32, True, {"a": ahead, "b": B}, {}).judged()[1]

    (stopped,) = needs
    assert (stopped.word, stopped.command) == ("stopped", "hookbundle cluster recover")
    assert stopped.of.startswith("0 (a), 1 (a), 2 (a)")


def test_of_many_copies_that_are_behind_the_furthest_counts() -> None:
    held = {0: Held(Role.OWNER, 3, "1x0", 5_000), 1: Held(Role.OWNER, 3, "1x0", 9_000)}
    late = {0: Held(Role.FOLLOWING, 3, "1x0", 0), 1: Held(Role.FOLLOWING, 3, "1x0", 0)}
    live = {"a": replace(A, held=held), "b": replace(B, held=late)}

    (need,) = Heard("a", 2, True, live, {}).judged()[1]
    assert shown(need) == Need("behind", "0 (b), 1 (b)", 9_000)


def test_a_check_needs_a_person_if_it_has_found_something() -> None:
    over = CheckOfAllOut(1, 1, "", 0, [], False, "a", "uid 0", "", stopped=False)
    assert words(A, B, check=over) == []
    assert words(A, B, check=replace(over, stopped=True)) == []
    assert words(A, B, check=replace(over, faults=2)) == ["check"]


def test_the_page_has_words_for_each_need_and_says_what_it_means() -> None:
    judged = set(re.findall(r'Need\(\s*"(\w+)"', Path(needs.__file__).read_text()))
    page = (Path(console.__file__).parent / "templates/parts/cluster.html").read_text()
    said = set(re.findall(r'each\.word == "(\w+)"', page))
    meant = set(re.findall(r'(?<!each\.)word == "(\w+)"', page.partition("macro means")[2]))

    assert judged == said == meant | {"compaction_stopped", "left_out"}


def test_the_status_says_what_the_page_says() -> None:
    late = of(B, Held(Role.FOLLOWING, 3, "1x0", 0))
    over = CompactionOut(1, 1, "", ["the copies of b: it does not run"], "a", "uid 0", "", False)
    check = CheckOfAllOut(1, 1, "", 2, [], False, "a", "uid 0", "", stopped=False)
    live = {"a": A, "b": late}
    heard = Heard("a", 2, True, live, {}, over, check=check)

    assert heard.overview().warnings == [
        "partitions without an owner: 1",
        "partitions with fewer copies than the 2 there should be: 1",
        "copies that are up to 5000 entries behind their owners: 0 (b)",
        "the last compaction has left something out: the copies of b: it does not run; "
        "give the command again",
        "faults that the last check of all copies has found: 2",
    ]
