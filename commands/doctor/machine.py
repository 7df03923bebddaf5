"""The machine: its clock, what a process may open, look-ups, ports, the way to the mail server."""

import errno
import os
import resource
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from hookbundle.commands.doctor.findings import Finding, Machine, fault, note
from hookbundle.engine import machine_time

WITHIN_S = 8.0
SPARE_FILES = 256  # for database, sockets, feed, mail; see server/daemon/descriptors.py
NAME = "example.com"  # is looked up if no other name is known


def clock(machine: Machine) -> Iterator[Finding]:
    if not machine_time.is_synchronised():
        yield note(
            "clock",
            "no time server keeps this machine's clock, as far as the system says",
            "signatures carry the time: receivers refuse those that are minutes off",
            "sudo timedatectl set-ntp true",
        )


def descriptors(machine: Machine) -> Iterator[Finding]:
    config = machine.config
    wanted = config.get("http.connections_max", int) + config.get("delivery.in_flight_max", int)
    wanted += SPARE_FILES
    may = _limit_of(machine.pid)
    if may < wanted:
        yield note(
            "limits",
            f"the daemon may open {may} files, and its settings ask for {wanted}",
            "it makes fewer attempts at once and takes fewer connections",
            "LimitNOFILE= in the systemd unit, or `ulimit -Hn` before `hookbundle run`",
        )


def _limit_of(pid: int | None) -> int:
    """Of the process that runs, else of the one that would be started here."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
        line = next(each for each in lines if each.startswith("Max open files"))
        return int(line.split()[4])
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def look_ups(machine: Machine) -> Iterator[Finding]:
    """Whether names are looked up at all: of the mail server, else of a name that there is."""
    if machine.config.get("delivery.proxy_names", str) == "proxy":
        return
    host = machine.config.get("smtp.host", str)
    why_not, is_answer = _look_up(host or NAME)
    if why_not:
        # A machine without a way to the public internet is told so of a public name.
        yield Finding(
            "note" if is_answer and not host else "fault",
            "look-ups",
            f"the name {host or NAME} can't be looked up: {why_not}",
            "receivers and the mail server are reached by their names",
            f"look at /etc/resolv.conf; try `getent hosts {host or NAME}`",
        )


def _look_up(host: str) -> tuple[str, bool]:
    """Why there is no address, and whether that was answered; ("", True) if there is one.

    It gives up after WITHIN_S.
    """
    found: list[tuple[str, bool]] = []

    def work() -> None:
        try:
            socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found.append(("", True))
        except socket.gaierror as exc:
            found.append(((exc.strerror or "").lower(), exc.errno != socket.EAI_AGAIN))
        except (OSError, UnicodeError):
            found.append(("it is no name", True))

    thread = threading.Thread(target=work, daemon=True)  # no call of the system's has a limit
    thread.start()
    thread.join(WITHIN_S)
    return found[0] if found else (f"no answer in {WITHIN_S:.0f} s", False)


def port(machine: Machine) -> Iterator[Finding]:
    """Whether a daemon could listen, if none runs."""
    listen = machine.config.get("listen", str)
    host, _, number = listen.rpartition(":")
    if listen == "off" or machine.pid is not None or not number.isdigit():
        return
    try:
        found = socket.getaddrinfo(
            host.strip("[]") or "127.0.0.1", int(number), type=socket.SOCK_STREAM
        )
        family, kind, proto, _, address = found[0]
        with socket.socket(family, kind, proto) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
    except OSError as exc:
        yield fault(
            "port",
            f"nothing can listen on {listen}: {(exc.strerror or str(exc)).lower()}",
            "the daemon would not start",
            f"ss -ltnp 'sport = :{number}'  # who has it"
            if exc.errno == errno.EADDRINUSE
            else "set listen to another address or port",
        )


def control_socket(machine: Machine) -> Iterator[Finding]:
    """Whether a daemon could make its socket, if none runs."""
    folder = next(each for each in machine.socket.parents if each.exists())
    if machine.pid is None and not os.access(folder, os.W_OK | os.X_OK):
        yield fault(
            "socket",
            f"{folder} can't be written by this user",
            f"the control socket would be {machine.socket}",
            "set socket to another path, or XDG_RUNTIME_DIR",
        )


def mail_server(machine: Machine) -> Iterator[Finding]:
    """Whether it answers, with the encryption that is set. Nobody logs in, nothing is sent."""
    config = machine.config
    host, at = config.get("smtp.host", str), config.get("smtp.port", int)
    if not host:
        return
    try:
        context = ssl.create_default_context(cafile=config.get("smtp.ca_file", str) or None)
        if config.get("smtp.security", str) == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, at, timeout=WITHIN_S, context=context)
        else:
            server = smtplib.SMTP(host, at, timeout=WITHIN_S)
        with server:
            server.ehlo()
            if config.get("smtp.security", str) == "starttls":
                server.starttls(context=context)
    except (OSError, smtplib.SMTPException) as exc:
        yield fault(
            "mail",
            f"the mail server {host}:{at} can't be used: {_in_words(exc)}",
            "e-mails to owners wait until it can",
            "`hookbundle mail test ADDRESS` shows each step",
        )


def _in_words(exc: Exception) -> str:
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return " ".join(str(text).split())[:200]
