"""The console of a node, with what it asks of the node."""

from typing import TYPE_CHECKING

from hookbundle.server.cluster.console.lists import Everywhere
from hookbundle.server.cluster.console.pages import NodeConsole
from hookbundle.server.cluster.routing import Router
from hookbundle.server.http.resources.mail_tests import MailTests

if TYPE_CHECKING:
    from hookbundle.server.cluster.node import Node


def new_console(node: "Node", router: Router, mail_tests: MailTests) -> NodeConsole:
    """To be started once the node serves."""
    return NodeConsole(
        node.config.console,
        Everywhere(router.partitions, router.asked, lambda: node.serving.alone()),
        node.serving.commanding,
        node.sessions,
        node.feed,
        node.fair_limits,
        node.clock,
        node.meters.wrong_token,
        mail_tests,
    )
