"""Why no daemon answers: there is none, or its control socket is not where it is looked for."""

from pathlib import Path

from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.engine.errors import InUse
from hookbundle.storage.database import files

WAITS = (
    ". A node that starts has none until it has reached its log servers: its log and `hookbundle "
    "doctor` say what is in the way"
)


def unreachable(config: Configuration, socket: Path) -> str:
    """What to tell somebody whose command found no daemon at the socket."""
    data = paths.data_directory(config)
    pid = files.holder(data)
    if pid is None:
        return (
            f"no daemon answers at {socket}: is it running? Start it with `hookbundle run`; if it "
            "uses another control socket, name it with --socket"
        )
    if not _is_there(socket):
        words = f"the process with pid {pid} uses {data}, but {_gone(socket, pid)}"
        return words + (WAITS if config.get("cluster.servers", tuple) else "")
    return (
        f"the process with pid {pid} uses {data}, but does not answer at {socket}: it is starting "
        "or stopping, or it is no daemon but a command"
    )


def in_use(error: InUse, config: Configuration) -> str:
    """What to tell somebody whose start was refused because another process uses the data."""
    socket, pid = paths.socket_path(config), files.holder(paths.data_directory(config))
    if pid is None or _is_there(socket):
        return str(error)
    return f"{error}; {_gone(socket, pid)}"


def _gone(socket: Path, pid: int) -> str:
    return (
        f"there is no socket {socket}. If the file was removed, the daemon makes it again "
        f"within a minute, and at once on `kill -HUP {pid}`; if the daemon was started with "
        "another one, name it with --socket"
    )


def _is_there(socket: Path) -> bool:
    try:
        return socket.exists()
    except OSError:  # its folder is closed to this user
        return True
