"""A name server on loopback: names under `.sound.test` are 127.0.0.1, all others get no answer.

A daemon asks it because it runs in a mount namespace of its own, with another /etc/resolv.conf.
"""

import asyncio
import os
import struct
import subprocess
from pathlib import Path
from typing import cast

from hookbundle.tests.shared_work.mounting import with_mounts

HEAD = struct.Struct(">6H")
SOUND = b"\x05sound\x04test\x00"
A, ANSWER = 1, 0x8580
PORT = 53


class Names(asyncio.DatagramProtocol):
    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.unanswered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        number, _, questions, *_ = HEAD.unpack_from(data)
        end = data.find(SOUND, HEAD.size)
        if questions != 1 or end < 0:
            self.unanswered += 1
            return
        end += len(SOUND)
        question = data[HEAD.size : end + 4]
        is_v4 = struct.unpack_from(">H", data, end)[0] == A
        answer = b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 60, 4) + bytes((127, 0, 0, 1))
        head = HEAD.pack(number, ANSWER, 1, int(is_v4), 0, 0)
        self.transport.sendto(head + question + (answer if is_v4 else b""), addr)


async def name_server() -> tuple[str, Names]:
    """Its address, which is free for this process. Raises: PermissionError without the right."""
    address = f"127.53.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
    _, names = await asyncio.get_running_loop().create_datagram_endpoint(
        Names, local_addr=(address, PORT)
    )
    return address, names


def can_be_used() -> bool:
    """Whether this process may make a mount namespace, and so give a daemon a resolv.conf."""
    return (
        os.geteuid() == 0
        and not subprocess.run(
            ("unshare", "-m", "mount", "--bind", "/etc/hosts", "/etc/hosts"), capture_output=True
        ).returncode
    )


def command_with(address: str, folder: Path) -> list[str]:
    """The command that runs the program with that name server only."""
    conf = folder / "resolv.conf"
    conf.write_text(f"nameserver {address}\noptions timeout:5 attempts:2\n")
    return with_mounts('mount --bind "$0" /etc/resolv.conf', conf)
