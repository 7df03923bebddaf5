"""What the log servers say of themselves at their monitoring ports, which no client can ask.

Each is asked twice: for its settings, and for the streams that it leads. Whatever is at the address
is not believed: an answer has a limit, in bytes and in seconds, and may be anything.
"""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec

from hookbundle.commands.terminal.failures import USAGE, CommandFailure
from hookbundle.engine.replication.log_servers import REPLICAS, faults_of
from hookbundle.engine.replication.names import Names, is_of

ANSWER_BYTES_MAX = 32 << 20  # some thousands of streams
WITHIN_S = 10.0
SETTINGS = "/varz"
STREAMS = "/jsz?accounts=true&streams=true&config=true"


class Sync(msgspec.Struct, frozen=True):
    sync_always: bool = False


class JetStream(msgspec.Struct, frozen=True):
    config: Sync | None = None


class Settings(msgspec.Struct, frozen=True):
    """The fields of `/varz` that are looked at."""

    server_name: str = ""
    version: str = ""
    max_payload: int = 0
    tls_required: bool = False
    auth_required: bool = False
    jetstream: JetStream = JetStream()


class Replica(msgspec.Struct, frozen=True):
    name: str = ""
    current: bool = False


class Group(msgspec.Struct, frozen=True):
    leader: str = ""
    replicas: list[Replica] = []


class StreamSettings(msgspec.Struct, frozen=True):
    num_replicas: int = 0


class Stream(msgspec.Struct, frozen=True):
    name: str = ""
    cluster: Group = Group()
    config: StreamSettings = StreamSettings()


class Account(msgspec.Struct, frozen=True):
    stream_detail: list[Stream] = []


class Streams(msgspec.Struct, frozen=True):
    """The fields of `/jsz` that are looked at."""

    account_details: list[Account] = []


class Monitored(msgspec.Struct, frozen=True):
    """`leads`: how many streams of the cluster. `faults`: sentences of what needs a person."""

    monitor: str
    server: str
    version: str
    leads: int
    faults: list[str]


T = TypeVar("T", Settings, Streams)


class NotAMonitor(Exception):
    """In words, what is at the address instead."""


def checked_url(url: str) -> SplitResult:
    """Raises: CommandFailure."""
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right or parts.path.strip("/") or parts.query or parts.username:
        raise CommandFailure(f"--monitor: {url!r} must be such as http://n1.example:8222", USAGE)
    return parts


def looked_at(url: str, names: Names, ca_file: str) -> Monitored:
    """What the server at the monitoring port needs a person for. `ca_file`: for https; or empty.

    Raises: CommandFailure for what is no address.
    """
    parts = checked_url(url)
    try:
        settings = _read(_answer(parts, SETTINGS, ca_file), Settings)
        if not settings.version:
            raise NotAMonitor("what answers there is no log server")
        has_logs = settings.jetstream.config is not None
        streams = _read(_answer(parts, STREAMS, ca_file), Streams) if has_logs else Streams()
    except NotAMonitor as exc:
        return Monitored(url, "", "", 0, [str(exc)])
    found = _of_settings(settings)
    led = list(_led(settings.server_name, streams, names))
    for stream in led:
        found += _of_stream(stream)
    return Monitored(url, settings.server_name, settings.version, len(led), found)


def _of_settings(settings: Settings) -> list[str]:
    config = settings.jetstream.config
    said = {**msgspec.to_builtins(settings), "jetstream": config is not None}
    found = faults_of(said, insecure=False)
    if config is not None and not config.sync_always:
        found.append(
            "it does not sync each entry: what was acknowledged may be lost with the power; set "
            "`sync_interval: always` in its jetstream block"
        )
    return found


def _led(server: str, streams: Streams, names: Names) -> Iterator[Stream]:
    """The streams of the cluster that the server leads: it alone knows how far others are."""
    wanted = (f"KV_{names.bucket}", f"KV_{names.sessions}")
    for account in streams.account_details:
        for stream in account.stream_detail:
            is_ours = stream.name in wanted or is_of(names.cluster, stream.name)
            if is_ours and stream.cluster.leader in ("", server):
                yield stream


def _of_stream(stream: Stream) -> list[str]:
    found, count = [], stream.config.num_replicas
    if not stream.cluster.leader:
        found.append(f"{stream.name} has no leader: nothing can be stored in it now")
    if count < REPLICAS:
        found.append(
            f"{stream.name} is on {count} server{'s' if count != 1 else ''}, and should be on "
            f"{REPLICAS}: the loss of one stops the cluster or loses data"
        )
    late = sorted(each.name for each in stream.cluster.replicas if not each.current)
    if late:
        found.append(f"{stream.name} is not current on {', '.join(late)}")
    return found


def _read(answer: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotAMonitor("what answers there is no log server") from None


def _answer(at: SplitResult, path: str, ca_file: str) -> bytes:
    with _connected(at, ca_file) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        if response.status != 200:
            raise NotAMonitor(f"it answers with status {response.status}")
        answer = response.read(ANSWER_BYTES_MAX + 1)
    if len(answer) > ANSWER_BYTES_MAX:
        raise NotAMonitor(f"its answer has more than {ANSWER_BYTES_MAX >> 20} MiB")
    return answer


@contextmanager
def _connected(at: SplitResult, ca_file: str) -> Iterator[HTTPConnection]:
    """Raises: NotAMonitor for whatever goes wrong, also if it takes too long in all."""
    host, port = at.hostname or "", at.port
    is_late = threading.Event()
    try:
        if at.scheme == "https":
            context = ssl.create_default_context(cafile=ca_file or None)
            connection: HTTPConnection = HTTPSConnection(
                host, port, timeout=WITHIN_S, context=context
            )
        else:
            connection = HTTPConnection(host, port, timeout=WITHIN_S)
        connection.connect()
        timer = threading.Timer(WITHIN_S, _end, (connection.sock, is_late))
        timer.daemon = True
        timer.start()
        try:
            yield connection
        finally:
            timer.cancel()
            connection.close()
    except (OSError, HTTPException, ValueError) as exc:
        late = "it has not answered in time"
        if is_late.is_set() or isinstance(exc, TimeoutError):
            raise NotAMonitor(late) from None
        words = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise NotAMonitor(f"it can't be asked: {words or type(exc).__name__}") from None
    if is_late.is_set():
        raise NotAMonitor("it has not answered in time")


def _end(sock: socket.socket, is_late: threading.Event) -> None:
    """Of a connection over which something comes all the time, and never all of it."""
    is_late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
