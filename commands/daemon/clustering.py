"""`hookbundle run` with log servers: the process is a node of a cluster."""

from collections.abc import Callable

from hookbundle.commands.configuration.settings import Configuration
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.engine.clock import SystemClock
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.way_out import Process

NO_CLIENT = (
    "a node of a cluster needs the client of the log servers, which is not installed; install it "
    "with: pip install 'hookbundle[cluster]'"
)


def new_node(
    config: Configuration,
) -> Callable[[DaemonConfig, Callable[[], int]], Process]:
    """Makes a node. Raises: ConfigError; CommandFailure if the client is not installed."""
    try:
        from hookbundle.commands.cluster import settings
        from hookbundle.server.cluster.joined import Joined
        from hookbundle.server.cluster.neighbours import new_life
        from hookbundle.server.cluster.node import Node
    except ModuleNotFoundError as exc:
        if exc.name is None or not exc.name.startswith("nats"):
            raise
        raise CommandFailure(NO_CLIENT, FAILED) from None
    servers, cluster = settings.servers(config), settings.cluster_config(config)

    def make(daemon: DaemonConfig, log_lost: Callable[[], int]) -> Process:
        life = new_life()
        neighbours = Joined(servers, cluster, life, daemon.data)
        return Node(daemon, cluster, life, neighbours, SystemClock(), log_lost=log_lost)

    return make
