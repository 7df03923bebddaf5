"""The datagram socket to which a daemon sends its notifications, as systemd would listen on it."""

import asyncio
import socket

from hookbundle.tests.hook_receiver import TIMEOUT_S


class NotifySocket:
    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    async def hear(self) -> str:
        async with asyncio.timeout(TIMEOUT_S):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def has_heard(self) -> bool:
        try:
            return bool(self._socket.recv(4096))
        except BlockingIOError:
            return False

    def close(self) -> None:
        self._socket.close()
