"""`hookbundle doctor`: what is wrong, or will be; why it matters; and the command that mends it."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared

if TYPE_CHECKING:
    from hookbundle.commands.doctor.findings import Finding

COLUMNS = ("level", "about", "what", "why", "mend")
WITHIN_S = 30.0
COLOURS = {"fault": "red", "note": "yellow"}


@click.command()
@click.option("--data", help="The data directory.")
@no_header
@as_json
@pass_shared
def doctor(shared: Shared, data: str | None, no_header: bool, as_json: bool) -> None:
    """Looks at configuration, data, machine and daemon, and says how to mend what is wrong.

    It changes nothing, and no secret is in its output. It fails if there is a fault; notes alone
    are none.
    """
    from hookbundle.commands.doctor.examining import examine

    found = examine(shared, data)
    if as_json:
        output.show_json(
            {
                "version": found.version,
                "daemon": found.daemon,
                "checked": found.checked,
                "findings": [_document(each) for each in found.findings],
            }
        )
    elif output.is_terminal():
        _show(found.findings)
    else:
        rows = [[getattr(each, name) for name in COLUMNS] for each in found.findings]
        output.show_rows(COLUMNS, rows, header=not no_header)
    faults = sum(each.level == "fault" for each in found.findings)
    words = f"checked: {', '.join(found.checked)}; {found.daemon_words}"
    if faults:
        output.say(words)
        raise CommandFailure(f"{faults} of {len(found.findings)} findings are faults", FAILED)
    output.say(f"{words}\nno faults, {len(found.findings)} notes")


def _document(finding: "Finding") -> dict[str, Any]:
    return {name: getattr(finding, name) for name in COLUMNS}


def _show(findings: "Iterable[Finding]") -> None:
    """A paragraph for each finding."""
    from textwrap import wrap

    from rich.console import Console

    width = Console().width
    is_plain = bool(os.environ.get("NO_COLOR"))
    for each in findings:
        level = each.level if is_plain else click.style(each.level, fg=COLOURS[each.level])
        output.write(f"{level}  {each.about}")
        for label, text in (("", each.what), ("why: ", each.why)):
            for line in wrap(_clean(f"{label}{text}"), max(width - 4, 20)):
                output.write(f"    {line}")
        output.write(f"    do:  {_clean(each.mend)}")  # whole, so that it can be copied
        output.write("")


def _clean(text: str) -> str:
    from hookbundle.commands.terminal.words import plain

    return plain(text)
