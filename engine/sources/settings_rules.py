"""What the types of a source's settings do not express."""

import re
from collections.abc import Iterator
from typing import Any

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources.adapters import generic_paths

HEADER_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
URL = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?")
PLACEHOLDER = re.compile(r"\{[^{}]*\}?|\}")
PLACEHOLDERS = ("{chat_id}", "{phone}", "{account}")
URLS = ("chat_url", "base_url", "public_url")
IN_FIELDS = ("message_id", "chat_id", "text")  # of `generic`: without these there is no message


def faults_of(value: dict[str, Any], path: str) -> Iterator[Fault]:
    """The faults of settings whose parts may be of another type than they must; those are left to
    the types."""
    for name in URLS:
        url = value.get(name)
        if isinstance(url, str) and url:
            yield from _faults_of_url(url, f"{path}.{name}", takes_places=name == "chat_url")
    header = value.get("header")
    if isinstance(header, dict):
        yield from _faults_of_header(header, f"{path}.header")
    fields = value.get("fields")
    if isinstance(fields, dict):
        yield from generic_paths.faults_of(fields, f"{path}.fields")
        for name in IN_FIELDS:
            if isinstance(fields.get(name), str) and not fields[name].strip():
                yield fault(f"{path}.fields.{name}", FaultCode.EMPTY)


def _faults_of_url(url: str, path: str, *, takes_places: bool) -> Iterator[Fault]:
    for found in PLACEHOLDER.findall(url) if takes_places else ():
        if found not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            yield fault(path, FaultCode.UNKNOWN_PLACEHOLDER, got=quoted(found), known=known)
            return
    if not URL.fullmatch(url) or not url.isprintable():
        yield fault(path, FaultCode.URL_UNREADABLE)


def _faults_of_header(header: dict[str, Any], path: str) -> Iterator[Fault]:
    name, value = header.get("name"), header.get("value")
    if isinstance(name, str) and name and not HEADER_NAME.fullmatch(name):
        yield fault(f"{path}.name", FaultCode.NO_ID, most=128)
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and not text.isprintable() for text in texts):
        yield fault(f"{path}.value", FaultCode.NOT_ONE_LINE)
