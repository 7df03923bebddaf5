"""docs/guides/another-machine.md, followed with two daemons: each message arrives once."""

from pathlib import Path

import msgspec

from hookbundle.tests.daemon.machine.operator import Operator
from hookbundle.tests.docs.at_machines import keyboards
from hookbundle.tests.docs.pages import DOCS, blocks
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import Program, program_in

PAGE = DOCS / "guides" / "another-machine.md"
OLD, NEW = "On the old machine", "On the new machine"
# The new machine's directories are beside the old one's: what goes to a path goes to its there.
SCP = '#!/bin/sh\ncp -r "$2" "$(printf %s "${{3#*:}}" | sed "s#^{old}#{new}#")"\n'


async def send(program: Program, message_id: str, chat: str) -> int:
    message = msgspec.json.encode(event(message_id, chat))
    return (await program("send", "acme", "-", given=message)).code


async def busy(program: Program, receiver: HookReceiver) -> None:
    """m1 was delivered, m2's delivery fails for as long as the old machine has it, m3 waits in a
    window."""
    set_up = ("--url", receiver.url(), "--aggregation", "1h", "--json")
    made = await program("workspace", "set", "acme", "--name", "A", *set_up)
    receiver.trust(made.document["secret"])
    for number, answer in (("1", 200), ("2", 500)):
        receiver.answers(answer)
        await send(program, f"m{number}", f"c{number}")
        await program("chats", "flush", "acme", "--yes")
        await receiver.until(int(number))
    await send(program, "m3", "c3")


async def retry(program: Program) -> None:
    """What still waits for its next attempt; its time may have come by itself."""
    for waiting in (await program("deliveries", "list", "acme", "--json")).document:
        await program("deliveries", "retry", waiting["id"], "--yes")


async def test_a_daemon_moves_to_another_machine(tmp_path: Path) -> None:
    folders = {OLD: tmp_path / "a", NEW: tmp_path / "b"}
    for folder in folders.values():
        for name in ("etc", "backups", "data"):
            (folder / name).mkdir(parents=True)
    (folders[OLD] / "etc" / "hookbundle").mkdir()
    scp = {"scp": SCP.format(old=folders[OLD], new=folders[NEW])}
    programs = {name: program_in(folder) for name, folder in folders.items()}
    parts = [block for block in blocks(PAGE) if block.terminal]
    started = next(
        number
        for number, block in enumerate(parts)
        if block.terminal == NEW and any("enable --now" in str(step.typed) for step in block.steps)
    )
    async with (
        receiving() as receiver,
        Operator(folders[OLD], programs[OLD], scp) as old,
        Operator(folders[NEW], programs[NEW]) as new,
    ):
        machines = {OLD: old, NEW: new}
        with keyboards(machines) as at:
            await machines[OLD].types("systemctl start hookbundle")
            await busy(programs[OLD], receiver)
            await at.follow(PAGE, parts[:started])
            refused = await send(programs[OLD], "m4", "c4")
            await at.follow(PAGE, parts[started:])
            before = len(receiver.posts)
            receiver.answers(200)
            accepted = [await send(programs[NEW], f"m{n}", f"c{n}") for n in (4, 1)]
            await retry(programs[NEW])
            await programs[NEW]("chats", "flush", "acme", "--yes")
            posts = await receiver.until(before + 3)
            await machines[NEW].types("systemctl stop hookbundle")

    assert (refused != 0, accepted) == (True, [0, 0])
    failed, after = posts[1], posts[before:]
    assert sorted(each for post in after for each in post.message_ids) == ["m2", "m3", "m4"]
    (again,) = [post for post in after if post.message_ids == ["m2"]]
    assert (again.id, again.body) == (failed.id, failed.body)
    assert list((folders[OLD] / "data").iterdir()) == []
