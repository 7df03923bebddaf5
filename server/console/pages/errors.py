"""The list of all errors, to which the `type` of each problem document leads. Needs no token.

Below it are the faults that an error of input lists, each with its code as its anchor too.
"""

from dataclasses import dataclass, replace

from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.engine.faults import SENTENCES, FaultCode
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.problems import ERRORS_PATH
from hookbundle.server.http.routes import Route


@dataclass(frozen=True, slots=True)
class ErrorsPage:
    access: AccessCheck

    def routes(self) -> list[Route]:
        return [replace(self.access.page("GET", "", self.show, "anybody"), path=ERRORS_PATH)]

    async def show(self, visit: Visit) -> web.StreamResponse:
        rows = [(code, MEANINGS[code], TITLES[MEANINGS[code].status]) for code in Code]
        # A fault of the code `invalid` has no sentence of its own.
        sentences = {**SENTENCES, FaultCode.INVALID: ""}
        faults = [(code, sentences[code]) for code in FaultCode]
        return visit.page("errors.html", rows=rows, faults=faults)
