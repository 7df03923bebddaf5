"""Until when the certificates hold that the configuration names: the one that receivers are shown,
and the authorities that are trusted besides the system's. Those of others are not fetched.
"""

import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hookbundle.commands.doctor.findings import Finding, Machine, fault, note
from hookbundle.engine.clock import Clock, SystemClock

SOON = timedelta(days=30)
PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
SHOWN = ("delivery.client_certificate", "cluster.tls_cert")
TRUSTED = ("delivery.ca_file", "smtp.ca_file", "cluster.tls_ca")
VERSION, TWO_DIGITS = 0xA0, 0x17  # tags of a certificate's elements; RFC 5280, 4.1


def dates(machine: Machine, clock: Clock | None = None) -> Iterator[Finding]:
    """What can't be read is a finding of the configuration, and none here."""
    now = datetime.fromtimestamp((clock or SystemClock()).wall_ms() / 1_000, UTC)
    for setting in (*SHOWN, *TRUSTED):
        path = machine.config.get(setting, str)
        ends = _ends(Path(path)) if path else []
        if ends and min(ends) < now + SOON:
            yield _finding(setting, path, min(ends), now)


def _finding(setting: str, path: str, end: datetime, now: datetime) -> Finding:
    day = f"{end:%Y-%m-%d}"
    mend = f"put a new one into {path}, then `systemctl reload hookbundle`"
    if end >= now:
        return note("certificates", f"{setting}: {path} ends on {day}", _why(setting), mend)
    what = f"{setting}: a certificate in {path} has ended on {day}"
    # A bundle of authorities may have old ones that nobody needs any more.
    return (fault if setting in SHOWN else note)("certificates", what, _why(setting), mend)


def _why(setting: str) -> str:
    if setting in SHOWN:
        return "receivers and servers that ask for a certificate refuse it then"
    return "what it has signed is not trusted then"


def _ends(path: Path) -> list[datetime]:
    try:
        text = path.read_text(encoding="ascii", errors="replace")
        return [valid_until(ssl.PEM_cert_to_DER_cert(each)) for each in PEM.findall(text)]
    except (OSError, ValueError, IndexError):
        return []


def valid_until(der: bytes) -> datetime:
    """When a certificate ends; the standard library shows that only of a connection's.

    Raises: ValueError or IndexError if it is none.
    """
    _, at, _ = _element(der, 0)
    _, at, _ = _element(der, at)  # what is signed
    tag, _, end = _element(der, at)
    at = end if tag == VERSION else at
    for _ in ("serial number", "algorithm", "issuer"):
        _, _, at = _element(der, at)
    _, at, _ = _element(der, at)
    _, _, at = _element(der, at)  # from when on
    tag, at, end = _element(der, at)
    form = "%y%m%d%H%M%SZ" if tag == TWO_DIGITS else "%Y%m%d%H%M%SZ"
    return datetime.strptime(der[at:end].decode("ascii"), form).replace(tzinfo=UTC)


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the element that begins there, where its content begins, and where it ends."""
    length, begin = der[at + 1], at + 2
    if length & 0x80:
        begin += length & 0x7F
        length = int.from_bytes(der[at + 2 : begin])
    return der[at], begin, begin + length
