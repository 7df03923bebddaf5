"""`hookbundle verify`: checks the signature of a request, as a receiver does."""

from typing import BinaryIO

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, USAGE, CommandFailure
from hookbundle.commands.terminal.options import InputFile, as_json
from hookbundle.engine import durations
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing
from hookbundle.engine.delivery.signing import Authentic
from hookbundle.engine.errors import ConfigError


@click.command()
@click.option(
    "--secret",
    "secrets",
    required=True,
    multiple=True,
    metavar="SECRET",
    help="whsec_...; repeat it during a rotation.",
)
@click.option(
    "--body", type=InputFile(), required=True, help="File with the exact body; `-` is stdin."
)
@click.option(
    "--header",
    "headers",
    metavar="HEADER",
    required=True,
    multiple=True,
    help="`Name: value`; may be repeated.",
)
@click.option(
    "--tolerance",
    metavar="DURATION",
    default="5m",
    show_default=True,
    help="How far its timestamp may be off.",
)
@as_json
def verify(
    secrets: tuple[str, ...],
    body: BinaryIO,
    headers: tuple[str, ...],
    tolerance: str,
    as_json: bool,
) -> None:
    """Checks a request's signature as a receiver would; fails if it is not authentic."""
    now_s = SystemClock().wall_ms() // 1_000
    found = dict(map(_parsed, headers))
    try:
        tolerance_s = durations.parse_ms(tolerance) // 1_000
        verdict = signing.verify(found, body.read(), secrets, now_s, tolerance_s)
    except (ConfigError, ValueError) as exc:
        raise CommandFailure(str(exc), USAGE) from exc
    words = signing.in_words(verdict)
    authentic = isinstance(verdict, Authentic)
    if as_json:
        output.show_json({"authentic": authentic, "verdict": words})
    elif authentic:
        output.write(words)
    if not authentic:
        raise CommandFailure(words, FAILED)


def _parsed(header: str) -> tuple[str, str]:
    name, colon, value = header.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{header!r} is not `Name: value`", param_hint="--header")
    return name.strip(), value.strip()
