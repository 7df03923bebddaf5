"""What systemd is to a daemon: a datagram socket that is told things."""

import asyncio
import socket

from hookbundle.tests.hook_receiver import PATIENCE_S


class Manager:
    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    async def hear(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def has_heard(self) -> bool:
        try:
            return bool(self._socket.recv(4096))
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._socket.close()
