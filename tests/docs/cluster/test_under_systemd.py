"""docs/cluster.md, "Under systemd": what can be followed without systemd as the first process.

systemd judges the files, and what they set is read from them: with that, and nothing else, a node
starts, by the key and the credentials where systemd would put them.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hookbundle.tests.docs.cluster.following import PAGE
from hookbundle.tests.docs.pages import ROOT
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import PROGRAM, Program, program_in
from hookbundle.tests.running import running

UNIT = ROOT / "packaging" / "hookbundle.service"
DROP_IN = "hookbundle.service.d/cluster.conf"
INSTALLED = "/opt/hookbundle/bin/hookbundle"
SET = re.compile(r"^Environment=(\w+)=(.+)$", re.MULTILINE)
GIVEN = re.compile(r"^LoadCredential=([\w.-]+):(\S+)$", re.MULTILINE)
EXPORTED = re.compile(r"`export ([^`]+)`")
SECRET = "hookbundle:of-the-log-servers"

pytestmark = pytest.mark.asyncio


def section() -> str:
    return PAGE.read_text(encoding="utf-8").partition("### Under systemd")[2].partition("\n## ")[0]


def here(text: str, root: Path) -> str:
    """The machine's folders are those of the test."""
    return text.replace("/etc/", f"{root}/etc/").replace("packaging/", f"{ROOT}/packaging/")


def installed(root: Path) -> Path:
    """The folder of units after the commands of the page; the operator has key and credentials."""
    units, desk = root / "etc" / "systemd" / "system", root / "desk"
    for folder in (units, desk, root / "etc" / "hookbundle"):
        folder.mkdir(parents=True)
    for unit in (UNIT, UNIT.with_suffix(".socket")):
        (units / unit.name).write_text(unit.read_text().replace(INSTALLED, PROGRAM))
    (desk / "cluster.key").write_text("00" * 32)
    (desk / "cluster.credentials").write_text(f"{SECRET}\n")
    typed = [line.strip() for line in section().splitlines() if line.startswith("    ")]
    assert typed.pop() == "systemctl daemon-reload"
    script = here("\n".join(typed), root)
    subprocess.run(["sh", "-e", "-c", script], cwd=desk, check=True)
    return units


def started_by(units: Path, root: Path) -> dict[str, str]:
    """The environment that the unit and what lies beside it give a daemon."""
    text = UNIT.read_text() + (units / DROP_IN).read_text()
    given = root / "credentials"
    given.mkdir()
    for name, path in GIVEN.findall(text):
        source = Path(here(path, root))
        if source.exists():  # the mail server's password has a default
            shutil.copy(source, given / name)
            (given / name).chmod(0o440)  # by an access list, for the daemon's user alone
    (given / "smtp-password").touch(0o440)
    settings = {name: value.replace("%d", str(given)) for name, value in SET.findall(text)}
    return {**settings, "CREDENTIALS_DIRECTORY": str(given)}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
async def test_systemd_understands_the_unit_with_what_the_page_puts_beside_it(
    tmp_path: Path,
) -> None:
    units = installed(tmp_path)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(units.glob("hookbundle.s*[et]"))],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert verified.returncode == 0
    assert "hookbundle" not in verified.stderr, verified.stderr
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "etc/hookbundle").iterdir()} == {
        0o600
    }


async def test_a_node_starts_with_what_the_unit_gives_it_and_its_shell_with_what_is_exported(
    nats: LogServers, tmp_path: Path
) -> None:
    units = installed(tmp_path)
    (tmp_path / "etc/hookbundle/cluster.key").unlink()  # `cluster init` makes it there
    (exported,) = EXPORTED.findall(section())
    shell = dict(each.split("=", 1) for each in here(exported, tmp_path).split())
    name = nats.new_cluster()
    plain = program_in(tmp_path, CLUSTER__SERVERS=",".join(nats.urls), CLUSTER__NAME=name)

    made = await Program({**plain.env, **shell})(
        "cluster", "init", "--partitions", "2", "--replicas", "1", "--insecure"
    )
    looked = await Program({**plain.env, **shell})("doctor", "--json")
    unit = Program({**plain.env, **started_by(units, tmp_path), "HOOKBUNDLE_CLUSTER__NODE": "a"})
    async with running(unit) as daemon:
        seen = await daemon.get("/v1/cluster")
        shown = await unit("config", "show")

    assert made.code == 0, made
    assert (tmp_path / "etc/hookbundle/cluster.key").stat().st_mode & 0o777 == 0o600
    assert "cluster.credentials" not in looked.out + looked.err, looked
    assert [node["name"] for node in seen["nodes"]] == ["a"]
    assert {each["owner"] for each in seen["partitions"]} == {"a"}
    assert SECRET.partition(":")[2] not in shown.out
