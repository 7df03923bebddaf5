"""Sections of docs/operations.md, followed as they are written, with paths of the test's own."""

import asyncio
import os
import re
from pathlib import Path

from hookbundle.storage.database.files import DATA
from hookbundle.tests.daemon.machine.operator import Operator
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import PROGRAM, program_in
from hookbundle.tests.running import Running, running, until_served
from hookbundle.tests.storage.page_damage import LEAF, WAYS, pages_of

ROOT = Path(__file__).resolve().parents[3]


def commands_of(section: str) -> str:
    """The commands of a section, in their order."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return "\n".join(line[4:] for line in found.splitlines() if line.startswith("    "))


async def stop(daemon: Running) -> None:
    daemon.process.terminate()
    assert await daemon.ended() == 0


async def test_damaged_data_file(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    data = tmp_path / "data"
    (tmp_path / "backups").mkdir()
    async with receiving() as receiver, Operator(tmp_path, program) as operator:
        async with running(program) as daemon:
            await daemon.make("acme", receiver, aggregation="1h")
            events = [event(f"m{n}", f"c{n}", text="words " * 200) for n in range(100)]
            await daemon.accept("acme", *events)
            await daemon.ask(
                "POST", "/v1/backup", {"directory": str(tmp_path / "backups" / "monday")}
            )
            await stop(daemon)
        WAYS["zeros"](data / DATA, pages_of(data / DATA, LEAF)[5])

        codes = await operator.types(commands_of("Damaged data file"))
        await program("chats", "flush", "acme", "--yes")
        await receiver.until(100)
        await operator.types("systemctl stop hookbundle")

    assert codes == [0, 1, 0, 0, 0, 0, 0, 0]  # the check has found something
    assert "acme\t" in (tmp_path / "root" / "damage.txt").read_text()
    assert (tmp_path / "root" / "damaged" / DATA).exists()
    assert len({one for post in receiver.posts for one in post.message_ids}) == 100


async def test_another_machine(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver, Operator(tmp_path, program) as operator:
        async with running(program) as daemon:
            await daemon.make("acme", receiver, aggregation="1h")
            await daemon.accept("acme", event("m1"))
            await stop(daemon)

        codes = await operator.types(commands_of("Another machine"))
        await program("chats", "flush", "acme", "--yes")
        (post,) = await receiver.until(1)
        await operator.types("systemctl stop hookbundle")

    assert codes == [0] * 8
    assert post.message_ids == ["m1"]
    assert (tmp_path / "root" / "moved" / DATA).exists()


async def test_log_lost(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    heard, log = os.pipe()
    os.close(heard)
    process = await asyncio.create_subprocess_exec(PROGRAM, "run", env=program.env, stderr=log)
    os.close(log)
    (tmp_path / "hookbundle.pid").write_text(f"{process.pid}\n")
    await until_served(program.socket_path)

    reaped = asyncio.ensure_future(process.wait())
    async with Operator(tmp_path, program) as operator:
        codes = await operator.types(commands_of("Log lost"))
        await operator.types("systemctl stop hookbundle")

    assert codes == [0, 0]
    assert await reaped == 0
    assert '"ready"' in (tmp_path / "hookbundle.log").read_text()
