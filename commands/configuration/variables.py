"""Variables of the environment that begin like a setting's: which are settings, which are others'.

Orchestrators add variables to every container beside a service, and their names begin with the
service's: kubelet those of a service called `hookbundle` or `hookbundle-feed`, Docker those of a
link. They are recognised by name and value together, because `HOOKBUNDLE_PORT=8470` is somebody's
attempt to set the port, and `HOOKBUNDLE_PORT=tcp://10.96.0.7:8470` is not.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

ENV = "HOOKBUNDLE_"
SERVICE = r"HOOKBUNDLE(_[A-Z0-9]+)*"  # a service's name; a setting of a section has `__` in it
ADDRESS = r"[0-9a-fA-F.:]+"
URL = r"(tcp|udp|sctp)://\S+"
OTHERS = tuple(
    (re.compile(name), re.compile(value))
    for name, value in (
        (rf"{SERVICE}_SERVICE_HOST", ADDRESS),
        (rf"{SERVICE}_SERVICE_PORT(_[A-Z0-9_]+)?", r"[0-9]{1,5}"),
        (rf"{SERVICE}_PORT", URL),
        (rf"{SERVICE}_PORT_[0-9]+_(TCP|UDP|SCTP)", URL),
        (rf"{SERVICE}_PORT_[0-9]+_(TCP|UDP|SCTP)_PROTO", r"tcp|udp|sctp"),
        (rf"{SERVICE}_PORT_[0-9]+_(TCP|UDP|SCTP)_PORT", r"[0-9]{1,5}"),
        (rf"{SERVICE}_PORT_[0-9]+_(TCP|UDP|SCTP)_ADDR", ADDRESS),
        (rf"{SERVICE}_NAME", r"/\S+/\S+"),
        (rf"{SERVICE}_ENV_\w+", r"(?s:.*)"),
    )
)


def unknown(environ: Mapping[str, str], known: Iterable[str]) -> str | None:
    """A variable that looks like a setting, and is neither one nor an orchestrator's."""
    names = set(known)
    for name, value in environ.items():
        if name.startswith(ENV) and name not in names and not _is_of_another(name, value):
            return name
    return None


def hint(name: str, known: Iterable[str]) -> str:
    """What was probably meant."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.8)
    return f"did you mean {near[0]}?" if near else "is it misspelled?"


def _is_of_another(name: str, value: str) -> bool:
    return any(n.fullmatch(name) and v.fullmatch(value) for n, v in OTHERS)
