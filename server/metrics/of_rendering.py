"""What the processes did that render bodies of formats. Their room is a limit like others."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.server.metrics.families import counter


def of_rendering(rendering: Rendering) -> Iterator[Metric]:
    of_paces = rendering.renderer.counts()
    yield counter(
        "bodies_rendered",
        "Bodies of formats by the process that had them, previews and tests too",
        {(each.pace,): each.rendered for each in of_paces},
        "pace",
    )
    yield counter(
        "bodies_rendered_bytes",
        "Of the bodies of deliveries that were rendered, without previews and tests",
        {(): rendering.made_bytes},
    )
    yield counter(
        "renderer_ended",
        "Processes that render which ended while they had a body",
        {(each.pace,): each.ended for each in of_paces},
        "pace",
    )
