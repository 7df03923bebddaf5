"""The form of a webhook's request: as it shows what is set, and as the API takes what was typed.

A value is never in it. Of what is set, the field is empty: left so, the value stays; a tick beside
it takes the header away. `hN_name`, `hN_value`, `hN_set`, `hN_away` are of the row N; the fields of
credentials are named by their kind, `bearer_token`.
"""

from typing import Any

from msgspec import UNSET

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import spelling
from hookbundle.engine.requests.fields import HEADERS_MAX
from hookbundle.engine.requests.request import (
    KINDS,
    METHODS,
    SECRET_FIELDS,
    SET,
    STYLES,
    NoAuth,
    Request,
    kind_of,
    shown,
)
from hookbundle.engine.requests.wanted import OF_KIND
from hookbundle.server.console.forms import Form

PATH = "request"
TICKED = "on"
ROWS_FREE = 4  # for new headers, beside those that are set
CHOICES = {"methods": METHODS, "kinds": tuple(KINDS), "styles": STYLES}
MAY_BE_EMPTY = ("username", "password")  # one of the two


def shown_request(request: Request) -> dict[str, str]:
    """What the fields show of it: names, and that values are set."""
    said = shown(request)
    found = {"method": request.method, "auth": kind_of(request.auth)}
    names = list(said["headers"])
    for row in range(min(HEADERS_MAX, len(names) + ROWS_FREE)):
        is_set = row < len(names)
        found[f"h{row}_name"] = names[row] if is_set else ""
        found[f"h{row}_set"] = TICKED if is_set else ""
        found[f"h{row}_away"] = ""
    for kind, fields in OF_KIND.items():
        for name in fields:
            known = said["auth"].get(name, "") if kind == found["auth"] else ""
            found[f"{kind}_{name}"] = "" if name in SECRET_FIELDS[kind] else known
    found["oauth2_style"] = found["oauth2_style"] or STYLES[0]
    for name in MAY_BE_EMPTY:
        found[f"basic_{name}_away"] = ""
    return found


def typed(form: Form) -> dict[str, str]:
    """What was typed, to be shown again, without any value that is secret."""
    secrets = {f"{kind}_{name}" for kind, names in SECRET_FIELDS.items() for name in names}
    return {
        name: text
        for name, text in form.items()
        if name not in secrets and not (name.startswith("h") and name.endswith("_value"))
    }


def wanted(form: Form, present: Request) -> dict[str, Any]:
    """As the API takes it: what is as it was is left out.

    Raises: InvalidInput where two rows have one name.
    """
    found: dict[str, Any] = {"method": form.get("method", present.method)}
    headers = _headers(form)
    if headers != shown(present)["headers"]:
        found["headers"] = headers
    auth = _auth(form, present)
    if auth is not UNSET:
        found["auth"] = auth
    return found


def faults_of(error: InvalidInput, form: Form) -> dict[str, Fault]:
    """What is wrong, by the field of the form."""
    places = {
        spelling.joined(f"{PATH}.headers", form.get(f"h{row}_name", "").strip()): f"h{row}"
        for row in range(HEADERS_MAX)
    }
    found: dict[str, Fault] = {}
    for each in error.faults:
        place = places.get(each.path) or _place_of(each.path, form)
        found.setdefault(place, each)
    return found


def _place_of(path: str, form: Form) -> str:
    inner = path.removeprefix(f"{PATH}.")
    outer, _, name = inner.partition(".")
    if outer == "auth":
        kind = form.get("auth", "")
        return f"{kind}_{name}" if name in OF_KIND.get(kind, ()) else "auth"
    return outer if outer in ("method", "headers") else "headers"


def _headers(form: Form) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in range(HEADERS_MAX):
        name, value = form.get(f"h{row}_name", "").strip(), form.get(f"h{row}_value", "").strip()
        is_set = form.get(f"h{row}_set") == TICKED
        if form.get(f"h{row}_away") == TICKED or not (name or value):
            continue
        if name in found:
            at = spelling.joined(f"{PATH}.headers", name)
            raise InvalidInput((fault(at, FaultCode.SAME_HEADER, beside=name),))
        found[name] = dict(SET) if is_set and not value else value
    return found


def _auth(form: Form, present: Request) -> Any:
    kind, was = form.get("auth", ""), kind_of(present.auth)
    if kind == "none":
        return UNSET if isinstance(present.auth, NoAuth) else {"type": kind}
    if kind not in OF_KIND:
        return UNSET
    found: dict[str, Any] = {"type": kind}
    said = shown(present)["auth"]
    for name in OF_KIND[kind]:
        text = form.get(f"{kind}_{name}", "")
        if name not in SECRET_FIELDS[kind]:
            found[name] = text.strip()
        elif text or form.get(f"{kind}_{name}_away") == TICKED or kind != was:
            found[name] = text
    if kind != was:
        return found
    if all(name in said and found[name] == said[name] for name in found):
        return UNSET
    if said["set"]:
        found["set"] = True
    return found
