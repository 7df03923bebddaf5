# mypy: disable-error-code="import-not-found,import-untyped,untyped-decorator,misc"
"""The Celery application: a sweep that seals what is due, and a task that delivers for a workspace.

No window is a task with a countdown. Celery's page on Redis advises against it: such a task is held
unacknowledged until its time, past the visibility timeout it runs again and again, and after a
crash it waits for that timeout; "broker is not a database", it says, and names periodic tasks on a
database as the better choice. So a window is a row in a sorted set, and beat has the sweep look at
it. The sweep has a worker of its own, so that deliveries never hold it up.

As the same pages advise: late acknowledgement and requeueing for tasks that can be repeated, a
prefetch of one, no results kept, a countdown only for the short wait after an error.
"""

import os
import secrets
import time
from threading import local
from typing import Any

import redis
import requests
from celery import Celery

from hookbundle.bench.rivals import shape
from hookbundle.bench.rivals.celery_redis import scripts

SWEEP_EVERY_S = 0.5
SEAL_AT_ONCE = 2_000
CLAIM_S = shape.REQUEST_TIMEOUT_S + 5.0  # outlives a request; a killed worker's is free after it
BUNDLES_AT_ONCE = 50  # of one workspace, before others get the worker
VISIBILITY_S = 900  # longer than the longest task and than the longest wait after an error

socket_path = os.environ["RIVAL_REDIS"]
url = os.environ["RIVAL_URL"]

app = Celery("rival", broker=f"redis+socket://{socket_path}")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_transport_options={"visibility_timeout": VISIBILITY_S},
    visibility_timeout=VISIBILITY_S,
    broker_connection_retry_on_startup=True,
    task_routes={"sweep": {"queue": "sweep"}, "deliver": {"queue": "deliver"}},
    beat_schedule={
        "sweep": {
            "task": "sweep",
            "schedule": SWEEP_EVERY_S,
            "options": {"expires": 10 * SWEEP_EVERY_S},
        }
    },
    worker_hijack_root_logger=False,
)

store = redis.Redis(unix_socket_path=socket_path)
seal_and_claim = store.register_script(scripts.SEAL_AND_CLAIM)
next_after = store.register_script(scripts.NEXT_AFTER)
of_thread = local()


@app.task(name="sweep", acks_late=False)  # the next one makes up for one that is lost
def sweep() -> None:
    token = secrets.token_hex(8)
    arguments = [time.time_ns() // 1_000_000, SEAL_AT_ONCE, token, round(CLAIM_S * 1_000)]
    for ws in seal_and_claim(args=arguments):
        deliver.delay(ws.decode(), token)


@app.task(name="deliver", bind=True, max_retries=None)
def deliver(self: Any, ws: str, token: str) -> None:
    """Bundles of the workspace leave one at a time, in order, while the claim holds."""
    done = b""
    for _ in range(BUNDLES_AT_ONCE):
        bundle = _next(ws, token, done, CLAIM_S)
        if bundle is None:
            return
        number, members = bundle
        if not _accepted(number.decode(), members):
            wait_s = shape.wait_s(self.request.retries + 1)
            # Nobody else may deliver for the workspace meanwhile, or it would overtake.
            store.pexpire(f"claim:{ws}", round((wait_s + CLAIM_S) * 1_000))
            raise self.retry(countdown=wait_s)
        done = number
    if _next(ws, token, done, CLAIM_S) is not None:
        deliver.delay(ws, token)


def _next(ws: str, token: str, done: bytes, claim_s: float) -> tuple[bytes, list[bytes]] | None:
    return scripts.bundle_of(next_after(args=[ws, token, done, round(claim_s * 1_000)]))


def _accepted(number: str, members: list[bytes]) -> bool:
    try:
        answer = _client().post(
            url,
            shape.bundle_body(members),
            headers=shape.headers(number),
            timeout=shape.REQUEST_TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException:
        return False
    return bool(answer.status_code == 200)


def _client() -> requests.Session:
    """The thread's own; sessions are not to be shared."""
    if not hasattr(of_thread, "client"):
        of_thread.client = requests.Session()
        of_thread.client.trust_env = False  # or each request looks for proxies and ~/.netrc
    client: requests.Session = of_thread.client
    return client
