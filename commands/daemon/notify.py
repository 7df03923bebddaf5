"""Words to the service manager: systemd's notification protocol (sd_notify(3)), without a library.

A datagram of lines `NAME=VALUE` to the socket that `$NOTIFY_SOCKET` names. Where nobody listens
(a terminal, a container), nothing is said.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog

from hookbundle.engine.errors import HookbundleError, in_words

log = structlog.get_logger(__name__)


class Notifier:
    """`watchdog_s`: how often the manager wants a sign of life; None if it does not."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # An @ stands for the zero byte of a name in the abstract namespace (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        meant_for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = int(environ.get("WATCHDOG_USEC", "0")) if meant_for_us else 0
        self.watchdog_s = microseconds / 1_000_000 if microseconds and self._address else None

    def tell(self, *lines: str) -> None:
        """`READY=1`, `STATUS=...`; a manager that can't be reached is no reason to stop."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            try:
                sock.sendto("\n".join(lines).encode(), self._address)
            except OSError as exc:
                log.warning("service manager not reached", error=in_words(exc))

    async def stay_alive(self, pulse: Callable[[], Awaitable[None]]) -> None:
        """A sign of life twice in the time allowed, and only after `pulse` came back."""
        while self.watchdog_s is not None:
            try:
                await pulse()
                self.tell("WATCHDOG=1")
            except HookbundleError as exc:
                log.error("no sign of life: the store can't commit", error=in_words(exc))
            await asyncio.sleep(self.watchdog_s / 2)
