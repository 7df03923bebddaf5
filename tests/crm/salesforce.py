"""Salesforce: composite requests of the REST API, and the token endpoint.

From https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/: `POST
/services/data/vNN.0/composite` (resources_composite_composite.htm, requests_composite.htm): the
outer answer is 200 whatever became of the parts; with `allOrNone` one part that fails undoes the
others, which then have 400 and PROCESSING_HALTED; 25 parts at most; `referenceId` of letters,
digits and `_`; `@{c.id}` stands for a field of an earlier answer. Upsert by external id
(dome_upsert.htm): `PATCH .../sobjects/Contact/FIELD/VALUE`, 201 with `created: true`, 200 with
`created: false` from version 46.0 on and 204 without a body before, 300 if several records have the
value; the external id is not repeated in the body. Errors (errorcodes.htm): 401 INVALID_SESSION_ID;
STRING_TOO_LONG, REQUIRED_FIELD_MISSING, INVALID_FIELD and NOT_FOUND within parts; 403
REQUEST_LIMIT_EXCEEDED past the requests of a day. A Task's Description is limited to 32,000
characters, its Subject to 255 (object reference, Task).
From
https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm:
`POST /services/oauth2/token` with grant_type=client_credentials, and id and secret in the form
or the header `Authorization: Basic`; the answer has `access_token`,
`instance_url`, `token_type`, and no `expires_in`.
Not documented: that an upsert with an empty body leaves a record as it is.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from hookbundle.tests.crm.composite import Fields, Part, Records, run
from hookbundle.tests.crm.stand_in import Refusal, StandIn, answered, document_of

TOKEN_PATH = "/services/oauth2/token"
COMPOSITE = re.compile(r"/services/data/v(\d{2}\.\d)/composite/?")
PARTS_MAX = 25


@dataclass(frozen=True, slots=True)
class Task:
    """`who`: the id of its contact."""

    id: str
    who: str
    fields: Fields


class Salesforce(StandIn):
    """An organisation. `contacts`: by their external id, and then their fields, with `Id`."""

    def __init__(
        self,
        field: str = "WA_Phone__c",
        contacts: Iterable[tuple[str, Fields]] = (),
        client: tuple[str, str] = ("3MVG9.client", "client secret"),
    ) -> None:
        super().__init__()
        self.records = Records(field)
        for value, fields in contacts:
            self.records.add_contact(value, fields)
        self.client = client
        self.tokens_given = 0
        self.calls_left = 15_000

    @property
    def url(self) -> str:
        return f"{self.origin}/services/data/v60.0/composite"

    @property
    def token_url(self) -> str:
        return self.origin + TOKEN_PATH

    @property
    def token(self) -> str:
        """The one that is valid now."""
        return f"00D000000000001!session{self.tokens_given}"

    @property
    def taken(self) -> list[Task]:
        return [
            Task(id, str(fields.get("WhoId", "")), fields)
            for id, fields in self.records.tasks.items()
        ]

    def end_session(self) -> None:
        """The token that was given last is valid no more."""
        self.tokens_given += 1

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        if path == TOKEN_PATH:
            return self._token(_credentials(headers), dict(parse_qsl(body.decode())))
        found = COMPOSITE.fullmatch(path)
        if found is None or method != "POST":
            raise Refusal(404, error("NOT_FOUND", "The requested resource does not exist"))
        if headers.get("authorization") != f"Bearer {self.token}":
            raise Refusal(401, error("INVALID_SESSION_ID", "Session expired or invalid"))
        if self.calls_left <= 0:
            raise Refusal(403, error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
        self.calls_left -= 1
        unreadable = Refusal(400, error("JSON_PARSER_ERROR", "Unexpected end of input"))
        document = document_of(body, unreadable)
        return answered(200, {"compositeResponse": self._run(document, found[1])})

    def _token(self, credentials: tuple[str, str], form: dict[str, str]) -> web.Response:
        given = (form.get("client_id", credentials[0]), form.get("client_secret", credentials[1]))
        if form.get("grant_type") != "client_credentials":
            raise Refusal(400, {"error": "unsupported_grant_type"})
        if given != self.client:
            raise Refusal(400, {"error": "invalid_client", "error_description": "invalid client"})
        self.tokens_given += 1
        return answered(
            200,
            {
                "access_token": self.token,
                "instance_url": self.origin,
                "token_type": "Bearer",
                "issued_at": "1764230400000",
            },
        )

    def _run(self, document: dict[str, Any], version: str) -> list[dict[str, Any]]:
        wanted = document.get("compositeRequest")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= PARTS_MAX:
            raise Refusal(400, error("INVALID_INPUT", "compositeRequest: 1 to 25 subrequests"))
        parts = [Part.of(each) for each in wanted]
        if len({part.reference for part in parts}) < len(parts):
            raise Refusal(400, error("INVALID_INPUT", "referenceId: not unique"))
        base = f"/services/data/v{version}/sobjects/"
        answers, records = run(parts, bool(document.get("allOrNone")), base, self.records)
        self.records = records
        return answers


def _credentials(headers: dict[str, str]) -> tuple[str, str]:
    """Those of the header, which may stand in the place of those of the form."""
    given = headers.get("authorization", "")
    if not given.startswith("Basic "):
        return "", ""
    id, _, secret = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
    return id, secret


def error(code: str, message: str) -> list[dict[str, Any]]:
    return [{"message": message, "errorCode": code}]
