"""The distributions have what they should, and a bundle leaves a daemon that has nothing else."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import aiohttp
import pytest

import hookbundle
from hookbundle.tests import program as programs
from hookbundle.tests.docs.following import free_ports
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.packaging import building
from hookbundle.tests.program import serving
from hookbundle.tests.reliability.harness.battery import FULL

BESIDE_THE_PACKAGE = {
    *("README.md", "LICENSE", "CHANGELOG.md", "SECURITY.md", "ARCHITECTURE.md"),
    *("setup.cfg", "pyproject.toml", "MANIFEST.in", ".dockerignore"),
    *(f"requirements/{name}.txt" for name in ("runtime", "cluster", "build")),
}
MADE = {"PKG-INFO", "setup.cfg"}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return building.sdist(tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return building.wheel(sdist, tmp_path_factory.mktemp("wheel"))


def test_the_sdist_has_the_package_and_what_installing_it_takes(sdist: Path) -> None:
    packaging = {
        path.relative_to(building.ROOT).as_posix()
        for path in (building.ROOT / "packaging").rglob("*")
        if path.is_file() and path.parent.name != "secrets"
    }

    found = {
        name
        for name in building.names_in_sdist(sdist)
        if not name.startswith("hookbundle.egg-info/")
    }

    assert found == building.files_of_the_package() | packaging | BESIDE_THE_PACKAGE | MADE


def test_the_wheel_has_each_file_of_the_package_and_no_other(wheel: Path) -> None:
    found = {name for name in building.names_in_wheel(wheel) if ".dist-info/" not in name}

    assert found == {f"hookbundle/{name}" for name in building.files_of_the_package()}


def test_the_version_comes_from_one_place(sdist: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (name,) = [each for each in opened.namelist() if each.endswith(".dist-info/METADATA")]
        metadata = opened.read(name).decode()

    version = hookbundle.__version__

    assert f"\nVersion: {version}\n" in metadata
    assert sdist.name == f"hookbundle-{version}.tar.gz"
    assert wheel.name == f"hookbundle-{version}-py3-none-any.whl"
    written = re.findall(r"^version.*", (building.ROOT / "setup.cfg").read_text(), re.MULTILINE)
    assert written == ["version = attr: hookbundle.__version__"]


async def test_a_daemon_of_the_wheel_delivers_a_bundle(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a preset, so that files of data and the process that renders are those of the wheel."""
    installed = building.program_of(wheel, tmp_path)
    monkeypatch.setattr(programs, "PROGRAM", str(installed))
    monkeypatch.chdir(tmp_path)
    (port,) = free_ports(1)
    async with receiving() as receiver:
        with serving(tmp_path, LISTEN=f"127.0.0.1:{port}") as program:
            version = await program("version", "--json")
            set_up = ("--url", receiver.url(), "--aggregation", "1h", "--format", "text")
            made = await program("workspace", "set", "acme", *set_up, "--json")
            receiver.trust(made.document["secret"])
            message = json.dumps(event("m1", text="from a wheel"))
            await program("send", "acme", "-", given=message.encode())
            await program("chats", "flush", "acme", "--yes")
            (post,) = await receiver.until(1)
            async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
                pages = [(await session.get(path)).status for path in ("/docs", "/console/sign-in")]
        doctor = await program("doctor", "--json")

    assert version.document["version"] == hookbundle.__version__
    assert "from a wheel" in post.body.decode()
    assert pages == [200, 200]
    assert str(building.ROOT) not in doctor.out + doctor.err


@pytest.mark.skipif(not FULL, reason="BATTERY=full installs the wheel with the hashes of the lock")
def test_pip_installs_the_wheel_beside_the_locked_dependencies(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip: list[str | Path] = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    locked = building.ROOT / "requirements" / "runtime.txt"

    subprocess.run([*pip, "--require-hashes", "-r", locked], check=True)
    subprocess.run([*pip, "--no-deps", wheel], check=True)
    checked = subprocess.run([python, "-m", "pip", "check"], check=False)
    shown = subprocess.run(
        [tmp_path / "venv" / "bin" / "hookbundle", "version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert checked.returncode == 0
    assert hookbundle.__version__ in shown.stdout
