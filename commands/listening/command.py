"""`hookbundle listen`: a receiver of one's own, which shows what a webhook sends."""

from collections.abc import Sequence
from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.commands.terminal.options import Number, Shared, as_json, pass_shared
from hookbundle.commands.terminal.secret_text import secret_of

PORT = 8_480
DELAY_MS_MAX = 3_600_000
TURNS_MAX = 100
LEAST, MOST = 200, 599


class Statuses(click.ParamType[tuple[int, ...]]):
    """`200`, or some that take turns: `500,200`."""

    name = "status"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        texts = str(value).split(",")
        number = Number(LEAST, MOST)
        if len(texts) > TURNS_MAX:
            self.fail(f"must be at most {TURNS_MAX}; got {len(texts)}", param, ctx)
        return tuple(number.convert(text.strip(), param, ctx) for text in texts)


class Delay(click.ParamType[int]):
    """A duration in milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from hookbundle.engine import durations

        try:
            delay_ms = 0 if value in (0, "0", "0s") else durations.parse_ms(str(value))
        except ValueError as exc:
            self.fail(str(exc), param, ctx)
        if delay_ms > DELAY_MS_MAX:
            self.fail(f"must be at most {durations.format_ms(DELAY_MS_MAX)}", param, ctx)
        return delay_ms


@click.command()
@click.argument("ws", default="")
@click.argument("webhook", default="outbound")
@click.option(
    "--port",
    type=Number(0, 65_535),
    default=PORT,
    show_default=True,
    help="Of 127.0.0.1; 0: a free one.",
)
@click.option(
    "--status",
    "statuses",
    type=Statuses(),
    default="200",
    show_default=True,
    metavar="STATUS,...",
    help="What is answered, 200 to 599; several take turns.",
)
@click.option(
    "--delay",
    "delay_ms",
    type=Delay(),
    default="0s",
    metavar="DURATION",
    help="Wait so long before answering.",
)
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="SECRET",
    help="Check signatures with this one, not by the daemon: whsec_..., @FILE or env:NAME.",
)
@click.option("--set-url", is_flag=True, help="Set the webhook's URL to this receiver.")
@click.option("--count", type=Number(1), metavar="N", help="End after N requests.")
@as_json
@pass_shared
def listen(
    shared: Shared,
    ws: str,
    webhook: str,
    port: int,
    statuses: tuple[int, ...],
    delay_ms: int,
    secrets: Sequence[str],
    set_url: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """Receives requests on this machine: checks each signature, prints it, answers as told.

    With WS the daemon checks the signatures, by the secrets of its webhook WEBHOOK. With --json it
    prints NDJSON. It ends with Ctrl-C.
    """
    if set_url and not ws:
        raise click.UsageError("--set-url needs the workspace whose webhook is meant")
    from hookbundle.commands.listening import checks
    from hookbundle.commands.listening.running import Listening, Plan, run
    from hookbundle.engine.errors import ConfigError

    try:
        given = [secret_of(text, "--secret") for text in secrets]
        check = checks.by_secrets(given) if given else checks.by_nobody
    except ConfigError as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    if ws and not given:
        from hookbundle.commands.configuration import paths
        from hookbundle.commands.terminal.client import Control

        socket = paths.socket_path(shared.configuration())
        check = checks.by_daemon(Control(socket), ws, webhook)
    plan = Plan(ws, webhook, port, set_url=set_url)
    try:
        run(shared, plan, Listening(check, statuses, delay_ms / 1_000, count, as_json=as_json))
    except KeyboardInterrupt:
        output.say("")
