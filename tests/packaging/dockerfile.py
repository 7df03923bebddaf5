"""The Dockerfile, read."""

import json
import re

from hookbundle.tests.packaging.building import ROOT


def instructions() -> list[tuple[str, str]]:
    """Each with what it has, on one line."""
    text = (ROOT / "packaging" / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(name, rest) for name, _, rest in (line.strip().partition(" ") for line in lines)]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        if found:
            found[-1].append((name, rest))
    return found


def variables() -> dict[str, str]:
    """The environment of the image, but for the path of programs."""
    (given,) = [rest for name, rest in stages()[-1] if name == "ENV"]
    found = dict(each.split("=", 1) for each in given.split())
    del found["PATH"]
    return found


def entry_point() -> tuple[list[str], list[str]]:
    """The program, and what it is given if nothing else is said."""
    last = dict(stages()[-1])
    return json.loads(last["ENTRYPOINT"]), json.loads(last["CMD"])
