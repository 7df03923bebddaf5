"""`hookbundle cluster check` at a node: what it prints, and how it ends."""

from pathlib import Path

from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.tests.in_process import daemon_in, until
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.server.cluster.commanding.test_checking import (
    env_of,
    follower_of,
    owner_of,
    without_usages,
)
from hookbundle.tests.server.cluster.two_nodes import NAMES, PARTITIONS, two

NOWHERE = "http://127.0.0.1:1"


def program_at(folder: Path, socket: Path, **settings: str) -> Program:
    return Program({**program_in(folder, **settings).env, "HOOKBUNDLE_SOCKET": str(socket)})


async def test_each_copy_is_a_row_and_what_is_wrong_is_said_and_ends_with_1(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        await made.made()
        ws = program_at(tmp_path / "shell", made.nodes[0].config.listeners.socket_path)
        sound = await ws("cluster", "check")
        owner, follower = owner_of(made, 1), follower_of(made, 1)
        without_usages(env_of(follower, 1))
        wrong = await ws("cluster", "check")
        document = await ws("cluster", "check", "--json")
        monitored = await ws("cluster", "check", "--monitor", NOWHERE)
        repaired = await ws("cluster", "check", "--repair")

    name, at_owner = follower.cluster.node, owner.cluster.node
    assert sound.code == 0, sound
    rows = sound.rows
    assert [row[0] for row in rows] == [str(number // 2) for number in range(2 * PARTITIONS)]
    assert {row[3] for row in rows} == {"owner", "same"}
    assert wrong.code == 1
    assert f"1\t{name}\t" in wrong.out
    assert "differs: usage; " in wrong.out
    findings = [line.split("\t") for line in wrong.out.splitlines() if line.count("\t") == 4]
    assert {(row[0], row[1]) for row in findings} == {("1", name)}
    assert "--repair" in wrong.err
    assert "faults found" in wrong.err
    assert document.code == 1
    assert '"servers": []' in document.out
    assert '"differs": [\n' in document.out
    assert monitored.code == 1
    assert f"{NOWHERE}: it can't be asked" in monitored.err
    assert f"{name} makes its copy of partition 1 anew" in repaired.err
    assert at_owner != name
    assert not any(workspace in wrong.err for workspace in NAMES if of_workspace(workspace, 3) != 1)


async def test_a_check_that_is_begun_is_shown_by_the_status_of_any_node(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        await made.made()
        first, second = (
            program_at(tmp_path / node.cluster.node, node.config.listeners.socket_path)
            for node in made.nodes
        )
        without_usages(env_of(follower := follower_of(made, 1), 1))
        begun = await first("cluster", "check", "--begin")
        check = made.nodes[1].serving.commanding.check_of_all
        await until(lambda: (said := check()) is not None and not said.doing)
        shown = await second("cluster", "status")
        document = await first("cluster", "check", "--begin", "--repair", "--json")

    name = follower.cluster.node
    assert begun.code == 0, begun
    assert ", by a: 0 of 3 partitions, 0 faults; " in begun.err
    assert ", by a: 3 of 3 partitions, 3 faults; it is over" in shown.err
    assert f"note: checked: partition 1: {name} differs: usage" in shown.err
    assert f"note: checked: partition 1: --repair has {name} make its copy anew" in shown.err
    assert document.document["check"]["repairs"] is True


async def test_without_a_cluster_or_a_node_or_an_address_it_says_so(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        alone = program_at(tmp_path / "shell", system.daemon.config.listeners.socket_path)
        no_cluster = await alone("cluster", "check")
        no_address = await alone("cluster", "check", "--monitor", "n1:8222")
    nobody = program_at(tmp_path / "shell", tmp_path / "nobody.sock")
    no_node = await nobody("cluster", "check", "--monitor", NOWHERE)

    assert (no_cluster.code, no_address.code, no_node.code) == (6, 2, 3)
    assert "must be such as http://n1.example:8222" in no_address.err
    assert f"{NOWHERE}: it can't be asked" in no_node.err
