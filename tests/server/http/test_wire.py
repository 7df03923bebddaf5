"""What is left of a client that is gone: nothing, also before garbage is collected."""

import gc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from aiohttp.http_exceptions import HttpProcessingError

from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.server.http.lines import street


async def test_what_is_no_request_leaves_nothing_behind(tmp_path: Path) -> None:
    """The daemon collects garbage rarely, and each error quotes all that could not be read."""
    async with street(tmp_path, GuardLimits()) as outside:
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                line = await outside.line()
                line.writer.write(b"x" * 500_000)
                assert b" 400 " in await line.answer()
                line.hang_up()
            await outside.until(lambda: outside.system.daemon.guard.connections == 0)

            left = [each for each in gc.get_objects() if isinstance(each, HttpProcessingError)]
        finally:
            gc.enable()

    assert not [error for error in left if len(str(error)) > 1_000]


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def frames_of(name: str) -> list[FrameType]:
    """Those of calls of a function that are over, and held by something."""
    frames = (each for each in gc.get_objects() if isinstance(each, FrameType))
    return [frame for frame in frames if frame.f_code.co_name == name]


@pytest.mark.parametrize("end", [b"", b"zz\r\n"], ids=["hung up", "garbled"])
@pytest.mark.usefixtures("uncollected")
async def test_a_body_that_ends_too_soon_leaves_nothing_behind(tmp_path: Path, end: bytes) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        await outside.system.ask("PUT", "/v1/workspaces/acme", {})
        token, guard = await outside.token("acme"), outside.system.daemon.guard
        head = (
            "POST /v1/workspaces/acme/messages HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        line = await outside.line()
        line.writer.write(head.encode() + b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
        await outside.until(lambda: outside.bodies.used >= 200_000)
        if end:
            assert b" 400 " in await line.ask(end)
        line.hang_up()
        await outside.until(lambda: guard.connections == 0 and outside.bodies.used == 0)

        assert not frames_of("_arriving")
