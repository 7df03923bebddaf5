"""Notifies the service manager by systemd's protocol (sd_notify(3)), without a library.

A notification is a datagram of lines `NAME=VALUE` to the socket `$NOTIFY_SOCKET`. Without that
variable (on a terminal, in a container) nothing is sent.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog

from hookbundle.engine.errors import HookbundleError, in_words

EXTEND_S = 60

log = structlog.get_logger(__name__)


class Notifier:
    """`watchdog_s`: the service manager's watchdog interval; None if it sets no watchdog."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ means the zero byte of a name in the abstract namespace (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        is_for_this_process = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = int(environ.get("WATCHDOG_USEC", "0")) if is_for_this_process else 0
        self.watchdog_s = microseconds / 1_000_000 if microseconds and self._address else None

    def notify(self, *lines: str) -> None:
        """Sends lines such as `READY=1`. A failure is only logged; the daemon runs on."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError as exc:  # also when no descriptor is left for the socket
            log.warning("service manager not reached", error=in_words(exc))

    def still_starting(self, status: str, *, advances: bool) -> None:
        """The service manager waits EXTEND_S longer for `READY=1`, unless nothing advances.

        Call it often: without the next call in time it takes the start for failed.
        """
        lines = [f"STATUS={status}"]
        if advances:
            lines.append(f"EXTEND_TIMEOUT_USEC={EXTEND_S * 1_000_000}")
            if self.watchdog_s is not None:
                lines.append("WATCHDOG=1")
        self.notify(*lines)

    async def stay_alive(self, pulse: Callable[[], Awaitable[None]]) -> None:
        """Resets the watchdog twice per interval, each time only after `pulse` has returned."""
        while self.watchdog_s is not None:
            try:
                await pulse()
                self.notify("WATCHDOG=1")
            except HookbundleError as exc:
                log.error("no sign of life: the store can't commit", error=in_words(exc))
            await asyncio.sleep(self.watchdog_s / 2)
