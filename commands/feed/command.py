"""`hookbundle tail`. What knows each fact is imported when it runs, and not for its help."""

import click

from hookbundle.commands.terminal.options import Number, Shared, as_json, pass_shared


@click.command()
@click.option(
    "--workspace", "workspaces", multiple=True, metavar="WS", help="Only events of this workspace."
)
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only events of this type, or of types like 'delivery.*'.",
)
@click.option("--chat", "chats", multiple=True, metavar="CHAT", help="Only events of this chat.")
@click.option(
    "--webhook", "webhooks", multiple=True, metavar="WH", help="Only events of this webhook."
)
@click.option(
    "--since",
    metavar="WHEN",
    help="Where to begin: now, oldest, an age like -1h, or a cursor. "
    "[default: now; with an end, oldest]",
)
@click.option("--until", metavar="WHEN", help="Where to end: now, an age like -10m, or a cursor.")
@click.option("--no-follow", is_flag=True, help="Ends at the newest event, as --until now.")
@click.option("--count", type=Number(1), metavar="N", help="End after showing N events.")
@as_json
@pass_shared
def tail(
    shared: Shared,
    workspaces: tuple[str, ...],
    types: tuple[str, ...],
    chats: tuple[str, ...],
    webhooks: tuple[str, ...],
    since: str | None,
    until: str | None,
    no_follow: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """Follows the event feed, until it is interrupted or an end is reached.

    Filters may be repeated. An event is shown if each kind of filter matches. With --json it prints
    NDJSON with cursors.
    """
    if no_follow and until not in (None, "now"):
        raise click.UsageError("give either --until or --no-follow")
    from hookbundle.commands.feed.tail import Filters, follow

    follow(
        shared,
        Filters(workspaces, types, chats, webhooks),
        since,
        "now" if no_follow else until,
        count,
        as_json=as_json,
    )
