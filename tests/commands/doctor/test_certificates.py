"""`doctor` and the dates of certificates that the configuration names."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.commands.doctor import certificates
from hookbundle.commands.doctor.findings import Finding, Machine
from hookbundle.tests.actors.outbound.certificates import AUTHORITY, RECEIVER

ENDS = datetime(2126, 11, 4, 12, 5, 17, tzinfo=UTC)  # both
DAY_MS = 86_400_000


class At(MovableClock):
    """The wall clock shows so many days before the certificates end."""

    def __init__(self, days_before: float) -> None:
        self._ms = int(ENDS.timestamp() * 1_000 - days_before * DAY_MS)
        super().__init__()

    def wall_ms(self) -> int:
        return self._ms


def found(folder: Path, days_before: float, pem: str = RECEIVER, **named: str) -> list[Finding]:
    """`named`: the setting that names the file, as a variable."""
    (folder / "own.pem").write_text(pem)
    (variable,) = named or ["DELIVERY__CLIENT_CERTIFICATE"]
    config = load({}, {f"HOOKBUNDLE_{variable}": str(folder / "own.pem")}, ())
    machine = Machine(config, (), folder, folder / "control.sock", None)
    return list(certificates.dates(machine, At(days_before)))


def test_a_certificate_that_holds_for_long_is_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, 31) == []
    assert found(tmp_path, 31, AUTHORITY, DELIVERY__CA_FILE="") == []


def test_one_that_ends_soon_is_noted_with_its_day(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, 29)

    assert finding.level == "note"
    assert "own.pem ends on 2126-11-04" in finding.what


@pytest.mark.parametrize(
    ("variable", "level"),
    [("DELIVERY__CLIENT_CERTIFICATE", "fault"), ("SMTP__CA_FILE", "note")],
)
def test_one_that_has_ended_is_a_fault_if_it_is_ours(
    tmp_path: Path, variable: str, level: str
) -> None:
    (finding,) = found(tmp_path, -1, AUTHORITY + RECEIVER, **{variable: ""})

    assert finding.level == level
    assert "has ended on 2126-11-04" in finding.what
    assert "PRIVATE" not in str(finding)


def test_the_day_is_that_which_openssl_reads(tmp_path: Path) -> None:
    """Also of a certificate of before 2050, whose year has two digits."""
    pem = tmp_path / "new.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", "/dev/null", "-subj", "/CN=x", "-days", "90", "-out", pem),
        ],
        check=True,
        capture_output=True,
    )
    shown = subprocess.run(
        ["openssl", "x509", "-in", pem, "-noout", "-enddate"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    day = datetime.strptime(shown.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)

    (end,) = certificates._ends(pem)

    assert end == day


@pytest.mark.parametrize("text", ["", "no certificate", RECEIVER.replace("MIIB", "AAAA")])
def test_what_is_no_certificate_is_a_matter_of_the_configuration(tmp_path: Path, text: str) -> None:
    assert found(tmp_path, -1, text) == []
