"""Ports for servers that must know theirs before they start.

Below 32768, because the kernel gives those above to programs that connect to somewhere; and in an
order of its own for each process, because several of pytest look at the same time.
"""

import os
import random
import socket

FIRST, LAST = 12_000, 32_000
_random = random.Random(os.getpid())


def free_port() -> int:
    while True:
        port = _random.randrange(FIRST, LAST)
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
