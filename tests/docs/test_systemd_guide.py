"""docs/guides/systemd.md: what it types is typed, and its files are judged by their readers."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hookbundle.tests.daemon.machine.operator import Operator
from hookbundle.tests.docs.at_machines import keyboards
from hookbundle.tests.docs.pages import DOCS, FENCED, ROOT, blocks
from hookbundle.tests.program import PROGRAM, program_in

PAGE = DOCS / "guides" / "systemd.md"
AS_ROOT = "As root"
UNITS = "/etc/systemd/system/"
INSTALLED = "/opt/hookbundle/bin/hookbundle"


def files() -> dict[str, str]:
    """Of the page, by their names."""
    text = PAGE.read_text(encoding="utf-8")
    return {found[2]: found[3] for found in FENCED.finditer(text) if found[2].startswith("/")}


async def test_what_the_page_types_works(tmp_path: Path) -> None:
    (tmp_path / "packaging").symlink_to(ROOT / "packaging")
    for name in ("etc/systemd/system", "backups"):
        (tmp_path / name).mkdir(parents=True)
    parts = [block for block in blocks(PAGE) if block.terminal == AS_ROOT]
    async with Operator(tmp_path, program_in(tmp_path)) as operator:
        with keyboards({AS_ROOT: operator}) as at:
            await at.follow(PAGE, parts)
        await operator.types("systemctl stop hookbundle")

    assert sum(len(block.steps) for block in parts) > 10
    installed = {path.name for path in (tmp_path / "etc" / "systemd" / "system").iterdir()}
    assert installed == {"hookbundle.service", "hookbundle.socket"}
    assert (tmp_path / "backups" / "today").is_dir()


async def test_the_configuration_of_the_page_is_one(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(files()["/etc/hookbundle/config.toml"])

    checked = await program_in(tmp_path)("--config", str(file), "config", "check")

    assert checked.code == 0, checked


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_drop_ins_of_the_page(tmp_path: Path) -> None:
    dropped = {name.removeprefix(UNITS): text for name, text in files().items() if UNITS in name}
    for unit in ("hookbundle.service", "hookbundle.socket"):
        text = (ROOT / "packaging" / unit).read_text().replace(INSTALLED, PROGRAM)
        (tmp_path / unit).write_text(text)
    for name, text in dropped.items():
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *sorted(tmp_path.glob("hookbundle.s*[et]"))],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(dropped) == 2
    assert verified.returncode == 0
    assert "hookbundle" not in verified.stderr, verified.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_the_unit_well_protected() -> None:
    unit = ROOT / "packaging" / "hookbundle.service"
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    (level,) = re.findall(r"Overall exposure level for \S+: (\S+)", judged.stdout)

    assert float(level) <= 2.5  # 1.9 of 10 with systemd 252; others count otherwise
