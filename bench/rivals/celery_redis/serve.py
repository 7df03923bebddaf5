# mypy: disable-error-code="import-not-found,import-untyped"
"""Celery with Redis: `python -m hookbundle.bench.rivals.celery_redis.serve DATA URL WINDOW_S`.

Five processes: redis-server (append-only file, fsync before each answer), a worker for deliveries,
a worker for the sweep, beat, and this one, which is the door: aiohttp, and a script call a request.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import redis
import redis.asyncio

from hookbundle.bench.rivals import door
from hookbundle.bench.rivals.celery_redis import scripts
from hookbundle.bench.rivals.shape import Taken

APPLICATION = "hookbundle.bench.rivals.celery_redis.tasks"
DELIVERIES_AT_ONCE = 8
START_S_MAX = 60.0
LOOK_AGAIN_S = 0.05


def start_redis(folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """It has read its log and answers."""
    configuration = folder / "redis.conf"
    configuration.write_text(scripts.CONFIGURATION.format(folder=folder))
    path = folder / "redis.sock"
    path.unlink(missing_ok=True)
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen(["redis-server", str(configuration)], stdout=log, stderr=log)
    client = redis.Redis(unix_socket_path=str(path))
    until_s = time.monotonic() + START_S_MAX
    while True:
        try:
            client.ping()
        except (redis.ConnectionError, redis.exceptions.BusyLoadingError):
            if time.monotonic() > until_s or process.poll() is not None:
                raise
            time.sleep(LOOK_AGAIN_S)
        else:
            client.close()
            return process, path


def start_celery(asked: door.Asked, redis_path: Path) -> list[subprocess.Popen[bytes]]:
    env = {**os.environ, "RIVAL_REDIS": str(redis_path), "RIVAL_URL": asked.url}
    quiet = ["--loglevel", "WARNING"]
    many = ["--pool", "threads", "--concurrency", str(DELIVERIES_AT_ONCE)]
    lean = ["--without-gossip", "--without-mingle"]
    roles = (
        ["worker", "-Q", "deliver", "-n", "deliver@%h", *many, *lean, *quiet],
        ["worker", "-Q", "sweep", "-n", "sweep@%h", "--pool", "solo", *lean, *quiet],
        ["beat", "--schedule", str(asked.data / "beat"), "--pidfile=", *quiet],
    )
    with (asked.data / "celery.log").open("ab") as log:
        return [
            subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", APPLICATION, *role],
                env=env,
                stdout=log,
                stderr=log,
            )
            for role in roles
        ]


async def main() -> None:
    asked = door.asked()
    server, redis_path = start_redis(asked.data)
    started = [*start_celery(asked, redis_path), server]
    store = redis.asyncio.Redis(unix_socket_path=str(redis_path))
    accept = store.register_script(scripts.ACCEPT)

    async def take(ws: str, taken: Sequence[Taken]) -> None:
        due_ms = time.time_ns() // 1_000_000 + round(asked.window_s * 1_000)
        flat = [part for message in taken for part in message]
        await accept(args=[ws, due_ms, *flat])

    try:
        await door.serve(asked.socket_path, take)
    finally:
        for process in started:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    asyncio.run(main())
