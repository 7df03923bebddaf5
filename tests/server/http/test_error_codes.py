"""Every refusal of the API has a code, its request's id, and leads to the list of all errors."""

import ast
import asyncio
import runpy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.engine import errors
from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.engine.faults import FaultCode
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.tests.in_process import System, daemon_in
from hookbundle.tests.server.http.lines import street

ROOT = Path(__file__).resolve().parents[3]
# Codes without words of their own, for errors that are raised with a text.
OTHERS = frozenset(list(Code)[list(Code).index(Code.BAD_REQUEST) :])
# Errors whose class alone means one thing; their texts are for logs.
OF_ONE_MEANING = {"ConfigError", "Unusable", "InUse", "CorruptRecord", "StoreFull", "MapFull"}
WITH_CODES = {
    *("HookbundleError", "BadRequest", "NotAllowed", "NotFound", "Conflict", "Changed", "Refused"),
    *("QuotaReached", "TooManyRequests", "Overloaded", "ActorFailed", "Quarantined"),
    "StorageError",
}
TABLES = ("engine/errors.py", "engine/faults.py")
WORKSPACE = "/v1/workspaces/acme"
LONG = "x" * 3_000


def check(document: dict[str, Any], status: int) -> str:
    """The code of a problem document, all of whose members are there."""
    code = Code(document["code"])
    assert document["status"] == status == MEANINGS[code].status
    assert document["type"] == f"/docs/errors#{code}"
    assert document["title"] == TITLES[status]
    assert len(bytes.fromhex(document["request_id"])) == 8
    assert len(document["detail"]) < 700
    for fault in document.get("errors", ()):
        assert set(fault) == {"path", "detail", "code"}
        FaultCode(fault["code"])
    assert code not in OTHERS
    return code.value


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("GET", "/nothing", None, "no_path"),
        ("PUT", "/v1/status", None, "method_not_allowed"),
        ("GET", "/v1/workspaces/none", None, "no_workspace"),
        ("GET", f"/v1/workspaces/{LONG}", None, "no_workspace"),
        ("GET", f"{WORKSPACE}/chats/none", None, "no_window"),
        ("GET", f"{WORKSPACE}/chats/{LONG}", None, "no_chat"),
        ("POST", f"{WORKSPACE}/chats/none/flush", None, "no_window"),
        ("DELETE", f"{WORKSPACE}/chats/{LONG}", None, "no_chat"),
        ("GET", f"{WORKSPACE}/deliveries/none", None, "no_delivery"),
        ("POST", f"{WORKSPACE}/deliveries/none/retry", None, "no_delivery"),
        ("DELETE", "/v1/tokens/none", None, "unknown_token"),
        ("POST", f"{WORKSPACE}/webhook/test", None, "no_webhook_url"),
        ("POST", f"{WORKSPACE}/webhook/enable", None, "no_webhook_url"),
        ("GET", "/v1/workspaces?limit=0", None, "invalid_input"),
        ("GET", f"{WORKSPACE}/deliveries?state={LONG}", None, "invalid_input"),
        ("POST", f"{WORKSPACE}/messages", {}, "invalid_input"),
        ("POST", "/v1/backup", {"directory": "relative"}, "invalid_input"),
    ],
)
async def test_a_refusal_has_a_code_of_its_own(
    tmp_path: Path, method: str, path: str, body: object, code: str
) -> None:
    async with daemon_in(tmp_path) as system:
        await system.ask("PUT", WORKSPACE, {})

        answer = await system.ask(method, path, body)

    assert check(answer.document, answer.status) == code
    assert answer.headers["x-request-id"] == answer.document["request_id"]


async def test_no_two_refusals_have_the_same_id(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        ids = [(await system.ask("GET", "/no")).document["request_id"] for _ in range(3)]

    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n", "no_token"),
        (b"GET /v1/status HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", "wrong_host"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n", "unknown_expectation"),
        (b"NO SENSE AT ALL\r\n\r\n", "unreadable_request"),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
            "head_line_too_long",
        ),
    ],
)
async def test_what_is_refused_at_the_door_has_a_code_too(
    tmp_path: Path, head: bytes, code: str
) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        line = await outside.line()
        answer = await line.ask(head)

    found, _, body = answer.partition(b"\r\n\r\n")
    assert check(msgspec.json.decode(body), int(found.split()[1])) == code


async def test_a_token_is_told_what_it_is_for(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        await outside.system.ask("PUT", WORKSPACE, {})
        own, intake = await outside.token("acme"), await intake_token(outside.system)

        async def refused(token: str, path: str) -> tuple[str, str]:
            line = await outside.line()
            lines = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}"
            answer = await line.ask(f"{lines}\r\n\r\n".encode())
            document = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2])
            return check(document, 403), document["detail"]

        other = await refused(own, "/v1/workspaces/globex")
        everything = await refused(own, "/v1/workspaces")
        reading = await refused(intake, WORKSPACE)

    assert other[0] == "token_of_workspace"
    assert "'acme' only" in other[1]
    assert everything[0] == "operators_only"
    assert "all workspaces" in everything[1]
    assert reading[0] == "intake_token"
    assert "scope `admin`" in reading[1]


async def intake_token(system: System) -> str:
    made = await system.ask("POST", "/v1/tokens", {"scope": "intake", "workspace": "acme"})
    return str(made.document["token"])


async def test_a_bug_is_logged_with_the_id_that_the_caller_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with daemon_in(tmp_path) as system:

        def fail(*_: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(type(system.daemon.partition.reads), "workspaces", fail)
        monkeypatch.setattr(type(system.daemon.partition.reads), "workspace", fail)
        answer = await system.ask("GET", WORKSPACE)

    assert check(answer.document, 500) == "internal_error"
    logged = [line for line in capsys.readouterr().out.split("\n") if "request failed" in line]
    assert [answer.document["request_id"] in line for line in logged] == [True]
    assert "a bug" not in answer.document["detail"]


async def test_the_type_of_an_error_leads_to_its_entry_without_a_token(tmp_path: Path) -> None:
    async with street(tmp_path, GuardLimits()) as outside:
        line = await outside.line()
        host = "Host: localhost\r\nAccept-Language: ar"
        async with asyncio.timeout(10):
            answer = await line.ask(f"GET /docs/errors HTTP/1.1\r\n{host}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 200 ")
    codes = [*Code, *FaultCode]
    assert [code for code in codes if answer.count(f' id="{code}"'.encode()) != 1] == []
    assert b'lang="ar"' in answer


def test_docs_errors_md_is_made_from_the_tables() -> None:
    generator = runpy.run_path(str(ROOT / "docs" / "make_error_table.py"))
    document = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")

    codes = [*Code, *FaultCode]
    assert [code for code in codes if document.count(f'<a id="{code}"></a>') != 1] == []
    assert generator["renewed"](document) == document, "run `make docs`"


def test_no_error_is_raised_with_a_text_where_it_could_have_a_code() -> None:
    """All that is raised by its class's name; an error made in another way is not seen here."""
    found = []
    for folder in ("engine", "storage", "actors", "server"):
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if name.startswith("engine/messages/") or name in TABLES:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and _lacks_a_code(node):
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def _lacks_a_code(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name):
            return name == "Fault" or (name in WITH_CODES and len(call.args) < 2)
        case ast.Attribute(value=ast.Name(id="web"), attr=name):
            return name.startswith("HTTP") and name not in ("HTTPException", "HTTPSeeOther")
    return False


def test_the_errors_that_need_no_code_of_their_own_have_one_without_gaps() -> None:
    for name in OF_ONE_MEANING:
        code = getattr(errors, name).other
        assert "{" not in MEANINGS[code].sentence, name
        assert code not in OTHERS
