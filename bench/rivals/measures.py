"""What is measured of a contestant, each with a process started anew on data of its own.

standing  windows that stay open: intake of singles and of batches
holding   the same, and many of them: memory and threads
flowing   windows of seconds: how fast what is due leaves, and how late it leaves at a gentle pace
killed    SIGKILL for all its processes under load, now and again; what was acknowledged and
          did not come again?
"""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hookbundle.bench import harness
from hookbundle.bench.harness import Value, percentile
from hookbundle.bench.rivals.contestants import Home, Running
from hookbundle.bench.rivals.traffic import Plan

WORKSPACES = 50
CHATS = 1_000
LONG_WINDOW_S = 3_600.0
REFUSE_EVERY = 100  # each so manyth POST, when processes are killed
# Nothing has come for so long: who has not sent what it acknowledged may still do so later. Celery
# gives what a killed worker held to another one after its visibility timeout, here 15 minutes.
QUIET_S_MAX = 45.0
NOT_BACK = f"not_back_within_{QUIET_S_MAX:.0f}_s"
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    singles: int
    batched: int
    open_chats: int
    bundles: int
    each: int  # messages of a bundle
    gentle_s: float
    gentle_per_s: float
    window_s: float
    kill_after_s: tuple[float, ...]


@dataclass(slots=True)
class Posts:
    """What the receiver has seen so far."""

    receiver: harness.Process
    seen: Counter[str] = field(default_factory=Counter)  # ids of messages, accepted
    at_s: dict[str, float] = field(default_factory=dict)  # when a bundle came, by its first id
    accepted: int = 0
    refused: int = 0
    last_s: float = 0.0
    in_turn: list[tuple[bool, list[str]]] = field(default_factory=list)

    def look(self) -> None:
        for at_s, accepted, ids in self.receiver.ask()["posts"]:
            self.last_s = at_s
            self.in_turn.append((accepted, ids))
            if not accepted:
                self.refused += 1
                continue
            self.accepted += 1
            self.seen.update(ids)
            self.at_s.setdefault(ids[0], at_s)

    def until(self, ids: set[str]) -> set[str]:
        """The ids that have not come when nothing more came for `QUIET_S_MAX`."""
        quiet_since_s, count = time.monotonic(), -1
        while not ids <= self.seen.keys():
            if len(self.in_turn) != count:
                quiet_since_s, count = time.monotonic(), len(self.in_turn)
            elif time.monotonic() - quiet_since_s > QUIET_S_MAX:
                break
            time.sleep(LOOK_AGAIN_S)
            self.look()
        return ids - self.seen.keys()

    def overtaken(self) -> int:
        """POSTs with something new while a refused bundle of the same workspace still waited."""
        held: dict[str, str] = {}
        known: set[str] = set()
        count = 0
        for accepted, ids in self.in_turn:
            ws = ids[0].split(".")[1]
            if not accepted:
                held.setdefault(ws, ids[0])
            elif held.get(ws) in ids:
                del held[ws]
            elif ws in held and not known.issuperset(ids):
                count += 1
            if accepted:
                known.update(ids)
        return count


class Load(harness.Process):
    """Requests that are made and wait for `go`."""

    def __init__(self, running: Running, plan: Plan) -> None:
        super().__init__("rivals/traffic.py", running.socket_path, json.dumps(asdict(plan)))
        self.hear()

    def go(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write("\n")
        self._child.stdin.flush()

    def run(self) -> dict[str, Any]:
        """It goes, and this is what it says at the end."""
        return self.ask()


def standing(home: Home, size: Size) -> dict[str, Value]:
    """Rates are messages per second."""
    home.set_up(WORKSPACES)
    results: dict[str, Value] = {}
    with Running(home) as running:
        for kind, messages, batch, connections in (
            ("warm", CHATS, 20, 8),
            ("single", size.singles, 1, 64),
            ("batch", size.batched, 100, 8),
        ):
            with Load(running, _plan(kind, messages, batch, CHATS, connections)) as load:
                said = load.run()
            _complain(home, said)
            if kind == "warm":
                running.settle()
            else:
                results[f"{kind}_per_s"] = round(messages / _seconds(said["kept"]), 1)
                results[f"{kind}_p99_ms"] = _part_ms(said["took_s"], 99)
    return results


def holding(home: Home, size: Size) -> dict[str, Value]:
    home.set_up(WORKSPACES)
    with Running(home) as running:
        with Load(running, _filling("many", size.open_chats, 1)) as load:
            said = load.run()
        running.settle()
        opened = sum(len(ids) for ids, _, _ in said["kept"])  # some can't hold so many
        return {
            "open_chats": opened,
            "open_chats_per_s": round(opened / _seconds(said["kept"]), 1),
            "processes": running.processes(),
            "threads": running.threads(),
            "private_mib_open": round(running.private_mib(), 1),
        }


def flowing(home: Home, size: Size) -> dict[str, Value]:
    with harness.Process("rivals/receiver.py") as receiver:
        posts = Posts(receiver)
        home = Home(home.name, home.data, receiver.hear()["url"], home.window_s)
        home.set_up(WORKSPACES)
        with Running(home) as running:
            running.settle()
            messages = size.bundles * size.each
            with Load(running, _filling("due", size.bundles, size.each)) as load:
                said = load.run()
            _complain(home, said)
            first_due_s = min(sent_s for _, sent_s, _ in said["kept"]) + home.window_s
            if posts.until(_ids(said["kept"])):
                raise RuntimeError(f"{home.name}: not all was delivered")
            per_s = posts.accepted / (posts.last_s - first_due_s)
            per_message = posts.accepted / messages
            gentle = round(size.gentle_s * size.gentle_per_s)
            plan = Plan("late", gentle, 1, gentle, WORKSPACES, 32, size.gentle_per_s)
            with Load(running, plan) as load:
                said = load.run()
            _complain(home, said)
            posts.until(_ids(said["kept"]))
        late_s = sorted(
            posts.at_s[ids[0]] - answered_s - home.window_s for ids, _, answered_s in said["kept"]
        )
    return {
        "deliveries_per_s": round(per_s, 1),
        "posts_per_message": round(per_message, 3),
        "late_p50_ms": _part_ms(late_s, 50),
        "late_p99_ms": _part_ms(late_s, 99),
    }


def killed(home: Home, size: Size) -> dict[str, Value]:
    acknowledged: set[str] = set()
    with harness.Process("rivals/receiver.py", REFUSE_EVERY) as receiver:
        posts = Posts(receiver)
        home = Home(home.name, home.data, receiver.hear()["url"], home.window_s)
        home.set_up(WORKSPACES)
        for life, after_s in enumerate(size.kill_after_s):
            plan = _plan(f"life{life}", 20_000, 1, CHATS, 64)
            with Running(home) as running, Load(running, plan) as load:
                load.go()
                time.sleep(after_s)
                running.kill()
                acknowledged |= _ids(load.hear()["kept"])
        began_s = time.monotonic()
        with Running(home):
            again_s = time.monotonic() - began_s
            not_back = posts.until(acknowledged)
            drained_s = time.monotonic() - began_s
    return {
        "kills": len(size.kill_after_s),
        "acknowledged": len(acknowledged),
        NOT_BACK: len(not_back),
        "twice": sum(count - 1 for count in posts.seen.values()),
        "refused": posts.refused,
        "overtaken": posts.overtaken(),
        "ready_again_s": round(again_s, 2),
        "drained_s": round(drained_s, 1),
    }


def home_of(name: str, folder: Path, window_s: float) -> Home:
    return Home(name, folder, "", window_s)


def _plan(tag: str, messages: int, batch: int, chats: int, connections: int) -> Plan:
    return Plan(tag, messages, batch, chats, WORKSPACES, connections)


def _filling(tag: str, chats: int, each: int) -> Plan:
    """So many messages for each of the chats, in batches that fall on all workspaces alike."""
    batch = min(100, chats * each // WORKSPACES)
    return _plan(tag, chats * each, batch, chats, 8)


def _ids(kept: Iterable[Any]) -> set[str]:
    return {one for ids, _, _ in kept for one in ids}


def _seconds(kept: list[Any]) -> float:
    """From the first request to the last answer."""
    answered_s: float = max(answered_s for _, _, answered_s in kept)
    sent_s: float = min(sent_s for _, sent_s, _ in kept)
    return answered_s - sent_s


def _part_ms(samples_s: list[float], percent: int) -> float:
    """The percentile of sorted seconds, in milliseconds."""
    return round(percentile(samples_s, percent) * 1_000, 1)


def _complain(home: Home, said: dict[str, Any]) -> None:
    if said["errors"]:
        raise RuntimeError(f"{home.name}: {said['errors']}")
