"""Makes a webhook's request of the stored one and of what a caller wants of it.

A secret is never sent to a host for which it was not given: where the URL's origin changes, header
values and credentials stay only if the same change gives them anew. So does the secret of a client
where the origin of its token URL changes.
"""

from dataclasses import dataclass

import msgspec

from hookbundle.engine.delivery.addresses import url_faults
from hookbundle.engine.delivery.targets import target_of
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.requests.request import (
    KINDS,
    PLAIN,
    SECRET_FIELDS,
    Auth,
    HeaderAuth,
    NoAuth,
    OAuth2,
    Request,
    kind_of,
)
from hookbundle.engine.requests.wanted import Wanted

HEADERS, AUTH, CLIENT_SECRET = "headers", "auth", "client_secret"
NOTHING = Wanted()


@dataclass(frozen=True, slots=True)
class ChangedRequest:
    """`dropped`: `headers`, `auth` and `client_secret`, as far as some of it was dropped."""

    request: Request
    dropped: tuple[str, ...] = ()


def origin_of(url: str) -> tuple[bool, str, int] | str:
    """Scheme, host and port; of a URL that can't be called, itself."""
    if not url or url_faults(url):
        return url
    target = target_of(url)
    return target.is_tls, target.host, target.port


def changed(
    before: Request, wanted: Wanted | None, *, old_url: str, new_url: str
) -> ChangedRequest:
    """The request after the change, which may change the URL alone.

    Raises: InvalidInput where something is to stay that is not set.
    """
    wanted = wanted or NOTHING
    if before is PLAIN and wanted is NOTHING:
        return ChangedRequest(before)
    faults: list[Fault] = []
    headers, values_kept = _headers(before, wanted, faults)
    auth, auth_kept = _auth(before.auth, wanted, faults)
    if not faults and isinstance(auth, HeaderAuth):
        faults += _same_as_another(headers, auth, wanted)
    if faults:
        raise InvalidInput(tuple(faults))
    dropped = []
    if old_url and origin_of(old_url) != origin_of(new_url):
        if values_kept:
            headers = tuple(each for each in headers if each[0] not in values_kept)
            dropped.append(HEADERS)
        if auth_kept:
            auth = NoAuth()
            dropped.append(AUTH)
    if _moves_its_token(before.auth, auth, wanted):
        assert isinstance(auth, OAuth2)
        auth = msgspec.structs.replace(auth, client_secret="")
        dropped.append(CLIENT_SECRET)
    method = wanted.method or before.method
    return ChangedRequest(Request(method=method, headers=headers, auth=auth), tuple(dropped))


def _headers(
    before: Request, wanted: Wanted, faults: list[Fault]
) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
    """The fields, and the names of those whose values were there before."""
    if wanted.headers is None:
        return before.headers, frozenset(name for name, _ in before.headers)
    known = {name.lower(): value for name, value in before.headers}
    found, kept = [], set()
    for name, given in wanted.headers:
        value = known.get(name.lower(), "") if given is None else given
        if given is None:
            kept.add(name)
        if not value:
            faults.append(fault(f"{wanted.at}.headers.{name}", FaultCode.NOTHING_SET))
        found.append((name, value))
    return tuple(found), frozenset(kept)


def _auth(before: Auth, wanted: Wanted, faults: list[Fault]) -> tuple[Auth, bool]:
    """The credentials, and whether a secret of them was there before."""
    if wanted.auth is None:
        return before, not isinstance(before, NoAuth)
    kind = wanted.auth["type"]
    fields = {name: value for name, value in wanted.auth.items() if name != "type"}
    if not wanted.keeps:
        return msgspec.convert({"type": kind, **fields}, KINDS[kind]), False
    stored = msgspec.structs.asdict(before) if kind_of(before) == kind else {}
    merged = {**stored, **fields}
    missing = [name for name in SECRET_FIELDS[kind] if name not in merged]
    if missing or not stored:
        at = f"{wanted.at}.auth.{missing[0]}" if missing else f"{wanted.at}.auth"
        faults.append(fault(at, FaultCode.NOTHING_SET))
        return before, True
    keeps = any(name not in fields for name in SECRET_FIELDS[kind])
    return msgspec.convert({"type": kind, **merged}, KINDS[kind]), keeps


def _moves_its_token(before: Auth, after: Auth, wanted: Wanted) -> bool:
    """Whether a client secret that was there before would go to another origin."""
    return (
        isinstance(before, OAuth2)
        and isinstance(after, OAuth2)
        and bool(after.client_secret)
        and "client_secret" not in (wanted.auth or {})
        and origin_of(before.token_url) != origin_of(after.token_url)
    )


def _same_as_another(
    headers: tuple[tuple[str, str], ...], auth: HeaderAuth, wanted: Wanted
) -> list[Fault]:
    """Where only one of the two was given, only the stored request shows it."""
    return [
        fault(f"{wanted.at}.auth.name", FaultCode.SAME_HEADER, beside=f"headers.{name}")
        for name, _ in headers
        if name.lower() == auth.name.lower()
    ]
