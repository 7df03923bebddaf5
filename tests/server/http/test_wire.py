"""What is left of a client that sent no request: nothing, also before garbage is collected."""

import gc
from pathlib import Path

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
