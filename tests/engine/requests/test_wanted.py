"""What a caller wants of a request: every fault with its path, what stays, what is dropped."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode
from hookbundle.engine.requests import fields, wanted
from hookbundle.engine.requests.changing import ChangedRequest, changed
from hookbundle.engine.requests.request import PLAIN, SET, Basic, Request, shown, stored, written

URL = "https://crm.example/in"
OAUTH = {
    "type": "oauth2",
    "token_url": "https://id.example/token",
    "client_id": "hooks",
    "client_secret": "s3cret",
}
BEARER = {"type": "bearer", "token": "t0ken-of-crm"}
FULL = {"method": "PUT", "headers": {"X-A": "aaaaaaa", "X-B": "bbbbbbb"}, "auth": BEARER}


def faults_of(value: Any) -> list[tuple[str, FaultCode | str]]:
    faults: list[Fault] = []
    wanted.parse(value, "request", AddressPolicy(), faults, whole=False)
    return [(each.path, each.code) for each in faults]


def after(
    before: Request, value: Any, old: str = URL, new: str = URL, *, whole: bool = False
) -> ChangedRequest:
    faults: list[Fault] = []
    found = wanted.parse(value, "request", AddressPolicy(), faults, whole=whole)
    assert not faults, faults
    return changed(before, found, old_url=old, new_url=new)


def request(value: Any = FULL) -> Request:
    return after(PLAIN, value).request


@pytest.mark.parametrize(
    "name",
    [
        *("Host", "Connection", "keep-alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade"),
        *("Proxy-Authorization", "proxy-connection", "Content-Type", "content-length"),
        *("webhook-id", "Webhook-Anything", "User-Agent", "Accept-Encoding", "Expect"),
    ],
)
def test_what_hookbundle_or_the_connection_writes_is_refused_everywhere(name: str) -> None:
    assert faults_of({"headers": {name: "x"}}) == [
        (f"request.headers.{name}", FaultCode.HEADER_RESERVED)
    ]
    assert faults_of({"auth": {"type": "header", "name": name, "value": "x"}}) == [
        ("request.auth.name", FaultCode.HEADER_RESERVED)
    ]


@pytest.mark.parametrize("name", ["Authorization", "cookie"])
def test_headers_that_hold_credentials_are_given_as_auth(name: str) -> None:
    assert faults_of({"headers": {name: "x"}}) == [
        (f"request.headers.{name}", FaultCode.HEADER_OF_AUTH)
    ]
    assert faults_of({"auth": {"type": "header", "name": name, "value": "x"}}) == []


@pytest.mark.parametrize("value", ["", " x", "x ", "a\r\nX-B: b", "a\tb", "é", "x" * 4_097, "\x7f"])
def test_a_value_is_visible_ascii_and_never_repeated(value: str) -> None:
    faults: list[Fault] = []
    wanted.parse({"headers": {"X-A": value}}, "request", None, faults, whole=False)

    assert [(each.path, each.code) for each in faults] == [
        ("request.headers.X-A", FaultCode.NO_HEADER_VALUE)
    ]
    assert not value.strip() or value not in faults[0].detail


def test_every_fault_is_told_with_its_path() -> None:
    found = faults_of(
        {
            "method": "GET",
            "headers": {"X_A": "x", "X-B": 5, "x-c": "1", "X-C": "2"},
            "auth": {**OAUTH, "token_url": "ftp://10.0.0.1/", "style": "query", "grant": "x"},
            "body": 1,
        }
    )

    assert set(found) == {
        ("request.body", FaultCode.UNKNOWN_FIELD),
        ("request.method", FaultCode.NOT_ONE_OF),
        ("request.headers.X_A", FaultCode.NO_HEADER_NAME),
        ("request.headers.X-B", FaultCode.NOT_TEXT),
        ("request.headers.X-C", FaultCode.SAME_HEADER),
        ("request.auth.grant", FaultCode.UNKNOWN_FIELD),
        ("request.auth.token_url", FaultCode.URL_SCHEME),
        ("request.auth.token_url", FaultCode.URL_ADDRESS_REFUSED),
        ("request.auth.style", FaultCode.NOT_ONE_OF),
    }


@pytest.mark.parametrize(
    ("auth", "path", "code"),
    [
        ({}, "type", FaultCode.MISSING),
        ({"type": "digest"}, "type", FaultCode.NOT_ONE_OF),
        ({"type": "bearer"}, "token", FaultCode.MISSING),
        ({"type": "bearer", "token": "Bearer abc"}, "token", FaultCode.NO_BEARER),
        ({"type": "basic", "username": "a:b", "password": "c"}, "username", FaultCode.HAS_COLON),
        (
            {"type": "basic", "username": "a", "password": "c\n"},
            "password",
            FaultCode.NOT_ONE_LINE,
        ),
        ({"type": "basic", "username": "", "password": ""}, "username", FaultCode.EMPTY),
        ({"type": "oauth2", **{k: OAUTH[k] for k in ("token_url", "client_id")}}, "", ""),
    ],
)
def test_credentials_are_checked(auth: Any, path: str, code: Any) -> None:
    if not path:
        path, code = "client_secret", FaultCode.MISSING
    assert faults_of({"auth": auth}) == [(f"request.auth.{path}", code)]


def test_twenty_one_headers_are_too_many() -> None:
    headers = {f"X-{number}": "x" for number in range(21)}
    assert faults_of({"headers": headers}) == [("request.headers", FaultCode.TOO_MANY_ENTRIES)]


def test_basic_is_utf_8_of_composed_letters() -> None:
    auth = Basic(username="Aladdin", password="cafe\u0301")
    assert fields.credentials(Request(auth=auth)) == (
        "Authorization",
        "Basic QWxhZGRpbjpjYWbDqQ==",
    )


@pytest.mark.parametrize(
    "auth", [BEARER, OAUTH, {"type": "basic", "username": "", "password": "p"}]
)
def test_what_was_read_may_be_sent_back_and_shows_no_value(auth: dict[str, str]) -> None:
    before = request({**FULL, "auth": auth})
    read = shown(before)

    assert after(before, read).request == before
    assert after(before, read, whole=True).request == before
    assert stored(written(before)) == before
    assert b"s3cret" not in msgspec.json.encode(read)
    assert b"t0ken" not in msgspec.json.encode(read)
    assert b"aaaaaaa" not in msgspec.json.encode(read)


def test_what_is_named_is_changed_and_null_is_the_default() -> None:
    before = request()

    assert after(before, {"method": "PATCH"}).request == msgspec.structs.replace(
        before, method="PATCH"
    )
    assert after(before, {"headers": {"x-a": SET, "X-C": "c"}}).request.headers == (
        ("x-a", "aaaaaaa"),
        ("X-C", "c"),
    )
    assert after(before, {"auth": None}).request.auth == PLAIN.auth
    assert after(before, None).request == PLAIN
    assert after(before, {"method": "PUT"}, whole=True).request == Request(method="PUT")


@pytest.mark.parametrize(
    "value",
    [{"headers": {"X-None": SET}}, {"auth": {"type": "basic", "set": True}}],
)
def test_nothing_can_stay_that_is_not_set(value: Any) -> None:
    with pytest.raises(InvalidInput) as raised:
        after(request(), value)

    assert raised.value.faults[0].code is FaultCode.NOTHING_SET


@pytest.mark.parametrize(
    "new",
    [
        *("http://crm.example/in", "https://crm.example:444/in", "https://evil.example/in", ""),
        "https://crm.example.evil.example/in",
    ],
)
@pytest.mark.parametrize("value", [{}, {"method": "PUT"}, shown(request())])
def test_another_origin_gets_no_secret_by_accident(new: str, value: Any) -> None:
    found = after(request(), value, new=new)

    assert found.request == Request(method="PUT")
    assert found.dropped == ("headers", "auth")


def test_another_origin_gets_what_the_same_change_gives() -> None:
    found = after(
        request(), {"headers": {"X-A": SET, "X-B": "anew"}, "auth": OAUTH}, new="https://b.example/"
    )

    assert found.request.headers == (("X-B", "anew"),)
    assert found.request.auth == request({"auth": OAUTH}).auth
    assert found.dropped == ("headers",)


@pytest.mark.parametrize("new", ["https://crm.example:443/other?x=1", "https://CRM.example/in"])
def test_the_same_origin_keeps_all(new: str) -> None:
    assert after(request(), {}, new=new) == ChangedRequest(request())


def test_a_token_url_elsewhere_drops_the_secret_of_the_client() -> None:
    before = request({"auth": OAUTH})
    moved = {"type": "oauth2", "set": True, "token_url": "https://other.example/token"}

    found = after(before, {"auth": moved})
    given = after(before, {"auth": {**moved, "client_secret": "anew"}})
    near = after(before, {"auth": {**moved, "token_url": "https://id.example/v2"}})

    assert found.dropped == ("client_secret",)
    assert shown(found.request)["auth"]["set"] is False
    assert (given.dropped, near.dropped) == ((), ())
    assert shown(near.request)["auth"]["set"] is True


def test_the_header_of_the_credentials_is_no_other_header() -> None:
    auth = {"type": "header", "name": "x-a", "value": "v"}

    assert faults_of({"headers": {"X-A": "a"}, "auth": auth}) == [
        ("request.auth.name", FaultCode.SAME_HEADER)
    ]
    with pytest.raises(InvalidInput):
        after(request(), {"auth": auth})
