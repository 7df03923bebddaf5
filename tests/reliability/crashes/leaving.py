"""`hookbundle` in which a method of an actor raises SystemExit(0).

python -m hookbundle.tests.reliability.crashes.leaving MODULE CLASS METHOD ARGUMENTS...
"""

import sys
from importlib import import_module

from hookbundle import cli


def command(owner: type, name: str) -> list[str]:
    """The command to run in place of `hookbundle`; `owner` is the class of the method."""
    return [sys.executable, "-m", __name__, owner.__module__, owner.__name__, name]


def leave(*_: object) -> None:
    raise SystemExit(0)


def main(module: str, owner: str, name: str, *arguments: str) -> None:
    found = getattr(import_module(module), owner)
    assert hasattr(found, name)
    setattr(found, name, leave)
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])
