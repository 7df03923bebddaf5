"""What a command says that finds no daemon at the control socket."""

from pathlib import Path

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.terminal.absence import unreachable
from hookbundle.storage.database import files


def test_a_node_that_waits_for_its_log_servers_is_not_taken_for_one_that_lost_its_socket(
    tmp_path: Path,
) -> None:
    alone = load({"data": str(tmp_path)}, {}, [])
    node = load({"data": str(tmp_path), "cluster.servers": "tls://n1:4222"}, {}, [])
    with files.locked(tmp_path):
        words = [unreachable(config, tmp_path / "control.sock") for config in (alone, node)]

    assert all("there is no socket" in each for each in words)
    assert ["its log servers" in each for each in words] == [False, True]
    assert "`hookbundle doctor`" in words[1]
