"""The door of every rival: aiohttp on a Unix socket, the same route as hookbundle's."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiohttp import web

from hookbundle.bench.rivals import shape
from hookbundle.bench.rivals.shape import Taken

BODY_BYTES_MAX = 8 << 20

Take = Callable[[str, Sequence[Taken]], Awaitable[None]]


class CantTake(Exception):
    """The request is refused with 503; nothing of it was acknowledged."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`DATA URL WINDOW_S`: where to keep things, whom to tell, how long a window is."""

    data: Path
    url: str
    window_s: float

    @property
    def socket_path(self) -> Path:
        return self.data / "socket"


def asked() -> Asked:
    data, url, window_s = sys.argv[1:]
    return Asked(Path(data), url, float(window_s))


async def serve(path: Path, take: Take) -> None:
    """Says it is ready, and answers each request when `take` is done with it, until SIGTERM."""

    async def post_messages(request: web.Request) -> web.Response:
        try:
            taken = shape.parse(await request.read())
            await take(request.match_info["ws"], taken)
        except msgspec.DecodeError as exc:
            return web.json_response({"detail": str(exc)}, status=422)
        except CantTake as exc:
            return web.json_response({"detail": str(exc)}, status=503)
        return web.json_response({"accepted": len(taken)}, status=202)

    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_post("/v1/workspaces/{ws}/messages", post_messages)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    path.unlink(missing_ok=True)  # a socket that a killed process has left
    await web.UnixSite(runner, str(path), backlog=1_024).start()
    print(json.dumps({"socket": str(path)}), flush=True)
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    await told.wait()
    await runner.cleanup()
