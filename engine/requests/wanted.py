"""Reads what a caller wants of a webhook's request: a change, or every fault with its path.

    {"method": "PUT", "headers": {"X-Tenant": "acme", "X-Key": {"set": true}},
     "auth": {"type": "oauth2", "token_url": "https://id.example.com/token", "client_id": "hooks",
              "client_secret": "...", "scope": "notes", "style": "basic"}}

`{"set": true}` is what is shown in the place of a value: where it comes back, the stored value
stays. So does a field of `auth` that is not given beside `"set": true`.
"""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.delivery.addresses import AddressPolicy, faults_of_url
from hookbundle.engine.errors import Fault
from hookbundle.engine.faults import FaultCode, fault, given, not_one_of
from hookbundle.engine.messages import spelling
from hookbundle.engine.requests import fields
from hookbundle.engine.requests.request import KINDS, METHOD, METHODS, SECRET_FIELDS, SET, STYLES

NAMED_MAX = limits.FAULTS_LISTED_MAX + 1  # of the unknown fields of an object
FIELDS = ("method", "headers", "auth")
OAUTH_CHARS_MAX = 1_024
OF_KIND: dict[str, tuple[str, ...]] = {
    "none": (),
    "bearer": ("token",),
    "basic": ("username", "password"),
    "header": ("name", "value"),
    "oauth2": ("token_url", "client_id", "client_secret", "scope", "style"),
}
MAY_BE_MISSING = frozenset({"scope", "style"})
Read: TypeAlias = Callable[[str, Any, AddressPolicy | None], Iterable[Fault | None]]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed; what is None stays.

    `at`: the path of it in the body, for faults that only the stored request shows. `headers`: in
    place of those there are; a value that is None is the stored one. `auth`: its fields, `type`
    among them; with `keeps` in place of some of those there are.
    """

    at: str = "request"
    method: METHOD | None = None
    headers: tuple[tuple[str, str | None], ...] | None = None
    auth: dict[str, str] | None = None
    keeps: bool = False


DEFAULT = Wanted(method="POST", headers=(), auth={"type": "none"})


def parse(
    value: Any, path: str, policy: AddressPolicy | None, faults: list[Fault], *, whole: bool
) -> Wanted | None:
    """The change; `null` is the default. `whole`: what is not named has its default.

    Each fault is added to `faults`; then the result is of no use.
    """
    if value is None:
        return msgspec.structs.replace(DEFAULT, at=path)
    if not isinstance(value, dict):
        faults.append(fault(path, FaultCode.NOT_AN_OBJECT, given=given(value)))
        return None
    faults += islice(spelling.unknown_faults(value, FIELDS, path), NAMED_MAX)
    named = {name: each for name, each in value.items() if name in FIELDS and each is not None}
    reset = {name for name, each in value.items() if name in FIELDS and each is None}
    if whole:
        reset = set(FIELDS) - named.keys()
    found = Wanted(
        at=path,
        **{name: getattr(DEFAULT, name) for name in reset},
    )
    if "method" in named:
        method = named["method"]
        if method not in METHODS:
            faults.append(not_one_of(f"{path}.method", METHODS, method))
        else:
            found = msgspec.structs.replace(found, method=method)
    if "headers" in named:
        headers = _headers(named["headers"], f"{path}.headers", faults)
        found = msgspec.structs.replace(found, headers=headers)
    if "auth" in named:
        auth, keeps = _auth(named["auth"], f"{path}.auth", policy, faults)
        found = msgspec.structs.replace(found, auth=auth, keeps=keeps)
    _check_twice(found, path, faults)
    return found


def _headers(value: Any, path: str, faults: list[Fault]) -> tuple[tuple[str, str | None], ...]:
    if not isinstance(value, dict):
        faults.append(fault(path, FaultCode.NOT_AN_OBJECT, given=given(value)))
        return ()
    if len(value) > fields.HEADERS_MAX:
        most = fields.HEADERS_MAX
        faults.append(fault(path, FaultCode.TOO_MANY_ENTRIES, most=most, size=len(value)))
        return ()
    found: list[tuple[str, str | None]] = []
    seen: dict[str, str] = {}
    for name, each in value.items():
        at = spelling.joined(path, name)
        wrong = fields.name_fault(at, name)
        if wrong is None and name.lower() in seen:
            wrong = fault(at, FaultCode.SAME_HEADER, beside=seen[name.lower()])
        seen.setdefault(name.lower(), name)
        keeps = _is_set(each)
        value_wrong = None if keeps else fields.value_fault(at, each)
        faults += [each for each in (wrong, value_wrong) if each is not None]
        found.append((name, None if keeps else each))
    return tuple(found)


def _auth(
    value: Any, path: str, policy: AddressPolicy | None, faults: list[Fault]
) -> tuple[dict[str, str], bool]:
    """Its fields, and whether it keeps those that are not among them."""
    if not isinstance(value, dict):
        faults.append(fault(path, FaultCode.NOT_AN_OBJECT, given=given(value)))
        return {}, False
    kind = value.get("type")
    if "type" not in value:
        faults.append(fault(f"{path}.type", FaultCode.MISSING))
        return {}, False
    if not isinstance(kind, str) or kind not in KINDS:
        faults.append(not_one_of(f"{path}.type", KINDS, kind))
        return {}, False
    known = OF_KIND[kind]
    may_keep = ("set",) if kind != "none" else ()
    unknown = spelling.unknown_faults(value, ("type", *known, *may_keep), path)
    faults += islice(unknown, NAMED_MAX)
    keeps = bool(may_keep) and value.get("set") is True
    # `false` is what is shown of a client secret that was dropped: then it has to be given.
    if may_keep and "set" in value and not isinstance(value["set"], bool):
        faults.append(fault(f"{path}.set", FaultCode.NOT_TRUE_OR_FALSE, given=given(value["set"])))
    named = {name: value[name] for name in known if name in value and not _is_set(value[name])}
    keeps = keeps or any(_is_set(value[name]) for name in known if name in value)
    for name in known:
        if name not in named and not keeps and name not in MAY_BE_MISSING:
            faults.append(fault(f"{path}.{name}", FaultCode.MISSING))
    if kind == "basic" and named:
        both = [named.get(name, "x") for name in ("username", "password")]
        faults += fields.basic_faults(path, *both)
    for name, each in named.items():
        wrongs = READ[kind, name](f"{path}.{name}", each, policy) if (kind, name) in READ else ()
        faults += [wrong for wrong in wrongs if wrong is not None]
    return {"type": kind, **named}, keeps


def _check_twice(wanted: Wanted, path: str, faults: list[Fault]) -> None:
    """A header of the credentials that is one of the others, too, where both are given."""
    name = (wanted.auth or {}).get("name")
    if not isinstance(name, str):
        return
    for other, _ in wanted.headers or ():
        if other.lower() == name.lower():
            at = f"{path}.auth.name"
            faults.append(fault(at, FaultCode.SAME_HEADER, beside=f"headers.{other}"))


def _is_set(value: Any) -> bool:
    return bool(value == SET)


def _read_name(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    return (fields.name_fault(path, value, of_auth=True),)


def _read_value(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    return (fields.value_fault(path, value),)


def _read_token(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    return (fields.token_fault(path, value),)


def _read_url(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    if not isinstance(value, str):
        return (fault(path, FaultCode.NOT_TEXT, given=given(value)),)
    return faults_of_url(path, value, policy) if value else (fault(path, FaultCode.EMPTY),)


def _read_line(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    """Of an id, a secret or a scope: RFC 6749 has visible ASCII; other letters go as UTF-8."""
    if not isinstance(value, str):
        return (fault(path, FaultCode.NOT_TEXT, given=given(value)),)
    if not value:
        return (fault(path, FaultCode.EMPTY),)
    if len(value) > OAUTH_CHARS_MAX:
        return (fault(path, FaultCode.TOO_LONG, most=OAUTH_CHARS_MAX, size=len(value)),)
    return (None if value.isprintable() else fault(path, FaultCode.NOT_ONE_LINE),)


def _read_scope(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    return () if value == "" else _read_line(path, value, policy)


def _read_style(path: str, value: Any, policy: AddressPolicy | None) -> Iterable[Fault | None]:
    return () if value in STYLES else (not_one_of(path, STYLES, value),)


READ: dict[tuple[str, str], Read] = {
    ("bearer", "token"): _read_token,
    ("header", "name"): _read_name,
    ("header", "value"): _read_value,
    ("oauth2", "token_url"): _read_url,
    ("oauth2", "client_id"): _read_line,
    ("oauth2", "client_secret"): _read_line,
    ("oauth2", "scope"): _read_scope,
    ("oauth2", "style"): _read_style,
}

assert all(set(SECRET_FIELDS[kind]) <= set(names) for kind, names in OF_KIND.items())
