"""What `hookbundle demo` shows: the main job in half a minute, in a temporary directory.

The daemon, its database, the receiver and the mail server are real. Only the clock is moved
forward, so that the hours between attempts at a broken receiver pass at once.
"""

import asyncio
import logging
import tempfile
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console
from rich.markup import escape

from hookbundle.actors.mailer import SmtpConfig
from hookbundle.commands.demo import sample
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.commands.demo.receivers import MailSink, Post, Receiver
from hookbundle.commands.terminal.client import Control
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.http.listeners import ListenersConfig

LOCAL = AddressPolicy.parse(("127.0.0.0/8",))
WINDOW = "5s"
TIMEOUT_S = 20.0
WORKSPACES = "/v1/workspaces"
ACME = f"{WORKSPACES}/acme"
MESSAGES = f"{ACME}/messages"

console = Console(highlight=False, soft_wrap=True)


def play() -> None:
    """Raises: CommandFailure if it takes too long."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory(prefix="hookbundle-demo-") as scratch:
        try:
            asyncio.run(asyncio.wait_for(_play(Path(scratch)), 55))
        except TimeoutError:
            raise CommandFailure("the demo did not finish in time", FAILED) from None


async def _play(scratch: Path) -> None:
    clock = MovableClock()
    async with Receiver() as receiver, MailSink() as mails:
        socket = scratch / "run" / "control.sock"
        config = DaemonConfig(
            data=scratch / "data",
            listeners=ListenersConfig(socket),
            addresses=LOCAL,
            smtp=SmtpConfig(
                host="127.0.0.1", port=mails.port, security="none", sender="hook@example.com"
            ),
            product_name="Acme Inbox",
        )
        daemon = Daemon(config, clock)
        await daemon.start()
        try:
            control = Control(socket)
            _step("A daemon starts on an empty database")
            _say(f"data {config.data}, control socket {socket}")
            await _bundle(control, receiver)
            await _single(control, receiver)
            await _breakdown(control, receiver, mails, clock)
        finally:
            await daemon.stop()
    _step("Done: nothing was lost")


async def _bundle(control: Control, receiver: Receiver) -> None:
    _step(f"Workspace acme bundles each chat's messages over {WINDOW}")
    made = await asyncio.to_thread(
        control.send,
        "POST",
        WORKSPACES,
        {
            "id": "acme",
            "name": "Acme Ltd",
            "owner_email": "owner@acme.example",
            "webhook": {"url": receiver.url, "aggregation": WINDOW},
        },
    )
    receiver.secret = made["secret"]
    _step("Messages arrive: a direct chat, a group, and a photo, which is skipped")
    for event in sample.CONVERSATION:
        answer = await asyncio.to_thread(control.send, "POST", MESSAGES, event)
        _say_message(event, answer)
    repeated = await asyncio.to_thread(control.send, "POST", MESSAGES, sample.CONVERSATION[0])
    _say(f"the first one is sent again: {repeated['duplicate']} duplicate, not stored twice")
    _step(f"After {WINDOW} each chat's window closes: one POST for each chat")
    for _ in range(2):
        _show_post(await receiver.next(TIMEOUT_S))


async def _single(control: Control, receiver: Receiver) -> None:
    _step("Without aggregation each message is sent at once")
    await asyncio.to_thread(control.send, "PATCH", ACME, {"webhook": {"aggregation": "none"}})
    await asyncio.to_thread(control.send, "POST", MESSAGES, sample.SINGLE)
    _show_post(await receiver.next(TIMEOUT_S))


async def _breakdown(
    control: Control, receiver: Receiver, mails: MailSink, clock: MovableClock
) -> None:
    _step("The receiver breaks: it answers every request with 500")
    receiver.status = 500
    await asyncio.to_thread(control.send, "POST", MESSAGES, sample.UNLUCKY)
    for errors in count(1):
        await receiver.next(TIMEOUT_S)
        hook = await _hook_with(control, errors)
        if not hook["enabled"]:
            _say(f"error {errors}: [bold red]the webhook is disabled[/]")
            break
        wait_ms = _ms(hook["next_attempt_at"]) - clock.now_ms()
        _say(f"error {errors}: next attempt in {_about(wait_ms)}; the clock is moved forward")
        clock.move(wait_ms + 1)
    _step("The owner was warned before, and is told now")
    for _ in range(2):
        console.print(escape(await mails.next(TIMEOUT_S)), style="cyan")
    _step("The receiver works again; after enabling, the same request is sent")
    receiver.status = 200
    await asyncio.to_thread(control.send, "POST", f"{ACME}/webhook/enable", {})
    _show_post(await receiver.next(TIMEOUT_S))
    await _hook_with(control, 0)
    _step("The activity log, newest first")
    for action in (await asyncio.to_thread(control.get, f"{ACME}/activity"))[:5]:
        _say(
            f"{action['at'][:19]}  {action['action']:<9} {action['outcome']:<10} {action['detail']}"
        )


async def _hook_with(control: Control, errors: int) -> Any:
    """Waits until so many consecutive errors are recorded; returns the webhook."""
    while True:
        hook = (await asyncio.to_thread(control.get, ACME))["webhook"]
        if hook["consecutive_errors"] == errors:
            return hook
        await asyncio.sleep(0.02)


def _show_post(post: Post) -> None:
    verdict = "signature verified" if post.verified else "[red]SIGNATURE WRONG[/]"
    members = len(post.body.get("messages", ())) or 1
    plural = "" if members == 1 else "s"
    _say(f"[bold green]POST[/] {post.delivery_id}: {members} message{plural}, {verdict}")
    console.print_json(data=post.body)


def _say_message(event: dict[str, Any], answer: Any) -> None:
    message = event["message"]
    text = message.get("text") or "(a photo)"
    result = "accepted" if answer["accepted"] else f"skipped: {answer['skipped'][0]['reason']}"
    names = f"{event['chat']['full_name']}, {message['sender']['full_name']}"
    text = text.replace("\n", "\n" + 4 * " ")
    _say(f"{escape(names)}: {escape(text)}  [dim]{result}[/]")


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1_000)


def _about(wait_ms: int) -> str:
    return str(timedelta(seconds=round(wait_ms / 1_000)))


def _step(words: str) -> None:
    console.print(f"\n[bold]{words}[/]")


def _say(words: str) -> None:
    console.print(f"  {words}")
