"""What a message costs that a source posts in its own form, beside one posted to `…/messages`.

The same daemon takes both in turns, one message a request, each of a chat whose window is open. The
requests are signed as the system signs them. Measured is the daemon's processor time, and where
valgrind is installed its instructions, which hardly depend on the machine: the whole of a request,
from the socket to the commit, as the difference between many requests and few. Time passes for the
daemon as slowly as it runs there, so what it does once a second is shared by as many requests as
come in a second. Of Meta the body has two messages; its costs are those of one.

`plain` is posted by the way that sources take too: a header that differs each time keeps it from
the lane. `lane` is the same message without that header.
Run it as `python bench/sources.py [--quick] [KIND…]`; with kinds only instructions are counted.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple

from hookbundle.bench import harness
from hookbundle.bench.harness import Value, median, ratio
from hookbundle.bench.instructions.counting import Counted, can_count
from hookbundle.bench.processes import calls
from hookbundle.tests.in_process import event
from hookbundle.tests.sources import letters, other_letters
from hookbundle.tests.sources.other_letters import OTHER_LETTERS

PLAIN, LANE = "plain", "lane"
LETTERS = {**letters.LETTERS, **OTHER_LETTERS}
SECRETS = {**letters.SECRETS, **other_letters.OTHER_SECRETS}
KINDS = (PLAIN, LANE, *LETTERS)
CHATS = 20
FIRST = count(1)


class Address(NamedTuple):
    """Where a kind's messages are posted."""

    path: str
    socket: str


class Request(NamedTuple):
    messages: int
    body: bytes
    headers: dict[str, str]


def run(quick: bool) -> dict[str, Value]:
    """Of a message: thousands of instructions, microseconds of processor time."""
    rounds, requests = (3, 60) if quick else (9, 1_000)
    cpu_us = _measure(rounds, requests)
    thousands = count_instructions(KINDS, quick) if can_count() else {}
    found: dict[str, Value] = {"rounds": rounds}
    for kind in KINDS:
        if thousands:
            found[f"{kind}_thousand_instructions"] = round(thousands[kind], 1)
        found[f"{kind}_cpu_us"] = round(median(cpu_us[kind]), 1)
    for kind in LETTERS:
        if thousands:
            found[f"{kind}_to_plain_instructions"] = round(thousands[kind] / thousands[PLAIN], 3)
        found[f"{kind}_to_plain_cpu"] = ratio(cpu_us[kind], cpu_us[PLAIN])
    by = "instructions" if thousands else "cpu"
    found["dearest_to_plain"] = max(float(found[f"{kind}_to_plain_{by}"]) for kind in LETTERS)
    return found


def _measure(rounds: int, requests: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with harness.data_directory() as data, harness.running_daemon(data) as (daemon, ready):
        addresses = dict(_addresses(ready["socket"]))
        for _ in range(rounds):
            for kind in KINDS:
                wanted = list(_requests(kind, addresses[kind].path, requests))
                before_s = daemon.cpu_s()
                messages = _post(addresses[kind], wanted)
                found[kind].append((daemon.cpu_s() - before_s) / messages * 1e6)
    return found


def count_instructions(kinds: Sequence[str], quick: bool) -> dict[str, float]:
    """Thousands of instructions a message, kernel not counted."""
    found: dict[str, float] = {}
    with harness.data_directory() as data, Counted(data, "serve.py", data, "--counted") as daemon:
        addresses = dict(_addresses(daemon.process.hear()["socket"], kinds))
        for kind, address in addresses.items():
            counts = []
            for requests in (20, 80) if quick else (50, 350):
                wanted = list(_requests(kind, address.path, requests))
                daemon.begin()
                messages = _post(address, wanted)
                counts.append((messages, daemon.end().all))
            (few, of_few), (many, of_many) = counts
            found[kind] = (of_many - of_few) / (many - few) / 1_000
    return found


def _addresses(path: str, kinds: Sequence[str] = KINDS) -> Iterator[tuple[str, Address]]:
    """Each has a workspace, whose windows are open."""
    for kind in kinds:
        address = Address(f"/v1/workspaces/{kind}/messages", path)
        webhook = {"url": "http://127.0.0.1:8099/", "aggregation": "24h"}
        calls.made(path, "PUT", f"/v1/workspaces/{kind}", {"name": kind, "webhook": webhook})
        if kind in LETTERS:
            source = {"kind": kind, "settings": SECRETS[kind]}
            made = calls.made(path, "POST", f"/v1/workspaces/{kind}/sources", source)
            address = address._replace(path=f"/v1/sources/{made['token']}")
        _post(address, list(_requests(kind, address.path, 2 * CHATS)))
        yield kind, address


def _requests(kind: str, path: str, requests: int) -> Iterator[Request]:
    now_s = int(time.time())
    for _ in range(requests):
        number = next(FIRST)
        phone = f"1555010{number % CHATS:04}"
        if kind in LETTERS:
            letter = LETTERS[kind](number, phone, "What about Thursday?")
            yield Request(len(letter.ids), letter.body, _headers_of(kind, letter.body, path, now_s))
        else:
            body = json.dumps(event(f"m{number}", phone, text="What about Thursday?")).encode()
            headers = {"Content-Type": "application/json"}
            if kind == PLAIN:
                headers["traceparent"] = f"00-{number:032x}-{number:016x}-01"
            yield Request(1, body, headers)


def _headers_of(kind: str, body: bytes, path: str, now_s: int) -> dict[str, str]:
    if kind in OTHER_LETTERS:
        return other_letters.other_headers_of(kind, body)
    return letters.headers_of(kind, body, path, now_s)


def _post(address: Address, requests: list[Request]) -> int:
    """How many messages were taken: all."""
    connection = calls.connected(address.socket)
    for each in requests:
        connection.request("POST", address.path, each.body, each.headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status not in (200, 202) or (said[:1] == b"{" and b'"accepted":0' in said):
            raise RuntimeError(f"{address.path} was answered {answer.status} {said!r}")
    connection.close()
    return sum(each.messages for each in requests)


if __name__ == "__main__":
    is_quick = "--quick" in sys.argv
    some = [each for each in sys.argv[1:] if each in LETTERS]
    if some:
        counted = count_instructions((PLAIN, LANE, *some), is_quick)
        ratios = {f"{kind}_to_plain": round(counted[kind] / counted[PLAIN], 3) for kind in some}
        harness.show("Thousands of instructions a message", {**counted, **ratios})
    else:
        harness.show("Messages of sources", run(is_quick))
