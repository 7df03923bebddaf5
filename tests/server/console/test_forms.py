"""Forms of the console: who may post how much, and that they are UTF-8 whatever they say."""

import asyncio
import codecs
from pathlib import Path

import pytest

from hookbundle.server.console.forms import FIELDS_MAX, FORM_BYTES_MAX, UNKNOWN_BYTES_MAX
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.server.http.lines import Street, street

FORM = "application/x-www-form-urlencoded"


async def posted(
    outside: Street, body: bytes, kind: str = FORM, *more: str, session: str = ""
) -> int:
    """The status of the answer to a sign-in, or with a session to a setting."""
    path = "/console/w/acme/webhook/test" if session else "/console/sign-in"
    cookie = f"hookbundle_session={session}" if session else "hookbundle_visitor=a"
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Cookie: {cookie}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        *more,
    )
    line = await outside.line()
    answer = await line.ask("\r\n".join((*lines, "\r\n")).encode() + body)
    assert b"\r\nContent-Type: text/html" in answer or b" 303 " in answer
    return int(answer.split()[1])


async def test_the_charset_that_a_client_names_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """480 KB of punycode took 17 s; and those are decoded before anybody has signed in."""
    used: list[str] = []
    look_up = codecs.lookup

    def noting(name: str) -> codecs.CodecInfo:
        used.append(name)
        return look_up(name)

    monkeypatch.setattr(codecs, "lookup", noting)
    async with street(tmp_path, GuardLimits()) as outside:
        long = await posted(outside, b"a" * 480_000, f"{FORM}; charset=punycode")
        short = await posted(outside, b"form_token=a&token=a", f"{FORM}; charset=punycode")
        unknown = await posted(outside, b"form_token=a&token=a", f"{FORM}; charset=none-such")

    assert (long, short, unknown) == (413, 403, 403)
    assert not [name for name in used if name in ("punycode", "none-such")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"form_token=a&token=%D8%AC", 403),  # read, and a wrong token
        (b"form_token=a&token=\xd8\xac", 403),
        (b"form_token=a&token=%FF", 400),
        (b"form_token=a&token=\xff", 400),
        (b"token=%ED%A0%80", 400),
        (b"&".join([b"a=b"] * FIELDS_MAX), 403),
        (b"&".join([b"a=b"] * (FIELDS_MAX + 1)), 400),
        (b"a" * UNKNOWN_BYTES_MAX, 403),
        (b"a" * (UNKNOWN_BYTES_MAX + 1), 413),
        (b"", 403),
    ],
)
async def test_a_form_is_small_and_utf_8(tmp_path: Path, body: bytes, status: int) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        assert await posted(outside, body) == status


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", "text/plain", "", "a/b;" * 99])
async def test_what_is_no_form_is_not_read(tmp_path: Path, kind: str) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        assert await posted(outside, b"--b\r\n\r\n", kind) == 415


async def test_a_form_is_never_unpacked(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        assert await posted(outside, b"", FORM, "Content-Encoding: gzip") == 415


async def test_who_has_a_session_may_post_more_but_not_without_end(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        await outside.system.ask("PUT", "/v1/workspaces/acme", {})
        session = outside.system.daemon.sessions.begin(await outside.token("acme"))
        assert session is not None

        more = await posted(outside, b"a" * (UNKNOWN_BYTES_MAX + 1), session=session)
        too_much = await posted(outside, b"a" * (FORM_BYTES_MAX + 1), session=session)

    assert (more, too_much) == (403, 413)


async def test_a_form_that_does_not_arrive_is_answered_with_a_page(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits(), body_s=0.2) as outside:
        line = await outside.line()
        line.writer.write(
            b"POST /console/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\na"
        )
        async with asyncio.timeout(10):
            answer = await line.answer()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"text/html" in answer
