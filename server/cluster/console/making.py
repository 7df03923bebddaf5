"""The console of a node, with what it asks of the node."""

from typing import TYPE_CHECKING

from hookbundle.server.cluster.console.lists import Everywhere
from hookbundle.server.cluster.console.nodes import ClusterView, view_of
from hookbundle.server.cluster.console.pages import NodeConsole
from hookbundle.server.cluster.routing import Router

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node


def new_console(node: "Node", router: Router) -> NodeConsole:
    """To be started once the node serves."""
    cluster = node.cluster

    def seen() -> ClusterView:
        live, now_ms = node.neighbours.live(), node.clock.wall_ms()
        return view_of(live, router.partitions, cluster.copies, now_ms)

    return NodeConsole(
        node.config.console,
        Everywhere(router.partitions, router.asked, lambda: node.serving.alone()),
        seen,
        cluster.node,
        node.sessions,
        node.feed,
        node.fair_limits,
        node.clock,
        node.meters.wrong_token,
        lambda: bool(node.config.smtp.host),
    )
