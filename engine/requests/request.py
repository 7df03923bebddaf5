"""How a webhook is called beside its URL: method, header fields, credentials.

    {"method": "PUT", "headers": [["X-Tenant", "acme"]], "auth": {"type": "bearer", "token": ".."}}

That is its stored form, of which only what differs from the default is written; the default is an
empty one. Every value of a header and every credential is a secret: it leaves with a request, and
is never shown again. parsing.py reads what a caller wants, changing.py makes it the stored one.
"""

from typing import Any, Literal, TypeAlias, get_args

import msgspec

METHOD = Literal["POST", "PUT", "PATCH"]
METHODS: tuple[METHOD, ...] = get_args(METHOD)
STYLE = Literal["basic", "body"]
STYLES: tuple[STYLE, ...] = get_args(STYLE)
SET = {"set": True}  # what is shown in the place of a secret


class NoAuth(msgspec.Struct, frozen=True, tag_field="type", tag="none"):
    pass


class Bearer(msgspec.Struct, frozen=True, tag_field="type", tag="bearer"):
    """`Authorization: Bearer TOKEN` (RFC 6750)."""

    token: str


class Basic(msgspec.Struct, frozen=True, tag_field="type", tag="basic"):
    """`Authorization: Basic` (RFC 7617). Many receivers take a key as the user name, so it is a
    secret as well."""

    username: str
    password: str


class HeaderAuth(msgspec.Struct, frozen=True, tag_field="type", tag="header"):
    """A field of any name, `Authorization` and `Cookie` among them."""

    name: str
    value: str


class OAuth2(msgspec.Struct, frozen=True, tag_field="type", tag="oauth2"):
    """Client credentials (RFC 6749, 4.4). `style`: where id and secret stand in the request for a
    token. `client_secret`: empty after its token URL moved to another origin, until it is set."""

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""
    style: STYLE = "basic"


Auth: TypeAlias = NoAuth | Bearer | Basic | HeaderAuth | OAuth2
KINDS: dict[str, type[Auth]] = {
    "none": NoAuth,
    "bearer": Bearer,
    "basic": Basic,
    "header": HeaderAuth,
    "oauth2": OAuth2,
}
# Of each kind: the fields that are never shown.
SECRET_FIELDS: dict[str, tuple[str, ...]] = {
    "none": (),
    "bearer": ("token",),
    "basic": ("username", "password"),
    "header": ("value",),
    "oauth2": ("client_secret",),
}


class Request(msgspec.Struct, frozen=True, omit_defaults=True):
    """`headers`: names as they were given, with their values."""

    method: METHOD = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    auth: Auth = NoAuth()


PLAIN = Request()


def stored(written: bytes) -> Request:
    """The request that `written` made; where a webhook says nothing of it, nothing is read."""
    return msgspec.json.decode(written, type=Request) if written else PLAIN


def written(request: Request) -> bytes:
    """The request as it is stored: JSON, the secrets in clear; empty if it is the default."""
    return b"" if request == PLAIN else msgspec.json.encode(request)


def kind_of(auth: Auth) -> str:
    """`none`, `bearer`, `basic`, `header` or `oauth2`."""
    return str(auth.__struct_config__.tag)


def shown(request: Request) -> dict[str, Any]:
    """The request as JSON without any secret: `{"set": true}` stands in the place of each.

    A caller may send back what was read: what is set stays then.
    """
    return {
        "method": request.method,
        "headers": {name: dict(SET) for name, _ in request.headers},
        "auth": _auth_shown(request.auth),
    }


def in_a_line(request: Request) -> str:
    """The request as feed and activity tell of it: names, and no value."""
    parts = [request.method, *(name for name, _ in request.headers)]
    match request.auth:
        case NoAuth():
            pass
        case HeaderAuth(name=name):
            parts.append(f"auth header ({name})")
        case auth:
            parts.append(f"auth {kind_of(auth)}")
    return " + ".join(parts)


def _auth_shown(auth: Auth) -> dict[str, Any]:
    kind = kind_of(auth)
    if isinstance(auth, NoAuth):
        return {"type": kind}
    fields = msgspec.structs.asdict(auth)
    secrets = SECRET_FIELDS[kind]
    is_set = any(fields[name] for name in secrets)
    return {
        "type": kind,
        "set": is_set,
        **{name: value for name, value in fields.items() if name not in secrets},
    }
