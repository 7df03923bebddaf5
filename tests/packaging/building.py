"""Builds the distributions as a release does: the sdist of the tree, the wheel of the sdist."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

from hookbundle.tests.program import TIMEOUT_S

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".src",
    ".venv*",
    ".*_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
    "site",
    "secrets",
    "*.egg-info",
)
PACKAGES = ("actors", "commands", "engine", "server", "storage")
HOOK = "import sys, setuptools.build_meta as backend; getattr(backend, sys.argv[1])(sys.argv[2])"
PROGRAM = "#!{python}\nfrom hookbundle.cli import main\nmain()\n"


def sdist(folder: Path) -> Path:
    """Of a copy of the tree, because the build writes into it."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    secrets = tree / "packaging" / "secrets"  # as somebody has it who builds where it runs
    secrets.mkdir()
    (secrets / "smtp-password").write_text("the password")
    return _built("build_sdist", tree, folder / "sdist")


def wheel(of_sdist: Path, folder: Path) -> Path:
    with tarfile.open(of_sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (tree,) = (folder / "unpacked").iterdir()
    return _built("build_wheel", tree, folder / "wheel")


def _built(hook: str, tree: Path, into: Path) -> Path:
    into.mkdir()
    built = subprocess.run(
        [sys.executable, "-P", "-c", HOOK, hook, into],
        cwd=tree,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT_S,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (made,) = into.iterdir()
    return made


def names_in_sdist(archive: Path) -> set[str]:
    with tarfile.open(archive) as opened:
        return {each.name.partition("/")[2] for each in opened.getmembers() if each.isfile()}


def names_in_wheel(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return {name for name in opened.namelist() if not name.endswith("/")}


def program_of(archive: Path, folder: Path) -> Path:
    """The program in a virtual environment of its own, which has the wheel and nothing else of
    ours: dependencies are those of the tests', whose .pth files do not count there."""
    place = folder / "installed"
    venv.create(place, symlinks=True)
    (site,) = place.glob("lib/python3.*/site-packages")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(site)
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = place / "bin" / "hookbundle"
    script.write_text(PROGRAM.format(python=place / "bin" / "python"))
    script.chmod(0o700)
    return script


def files_of_the_package() -> set[str]:
    """Each file that has to be in a wheel, as the tree has it."""
    found = {
        path.relative_to(ROOT).as_posix()
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return found | {"__init__.py", "__main__.py", "cli.py"}
