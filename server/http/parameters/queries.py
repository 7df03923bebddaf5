"""Parameters of the query string, and conditions: those that a path declares, and no others.

A misspelt filter that is ignored shows everything, and a misspelt limit does everything: so what is
not known is refused, before the handler runs. Pages of the console are not the API: links to them
come back with what others have added. Nor are the probes: load balancers add parameters to them.

A condition that is ignored is worse: who sends one wants nothing done if somebody else has changed
something meanwhile. So a request that changes something is refused with one, unless its path
declares that it honours it. What only shows something is shown without.
"""

import re
from collections.abc import Iterable, Iterator

from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.faults import FaultCode, fault, unknown_name
from hookbundle.engine.near_names import near_name
from hookbundle.server.http.requests import conditions_of
from hookbundle.server.http.routes import Query, Route

NAME = re.compile("[a-z][a-z_]{0,31}")
NOT_SHOWN = "?"  # in the place of what is no name

SHOWS = ("GET", "HEAD")  # what it shows is shown whatever the condition

Operation = tuple[str, str]


class Parameters:
    """The parameters and the conditions of each operation, by its method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._of: dict[Operation, Route] = {
            (route.method, route.path): route for route in routes if route.name
        }

    def check(self, request: web.Request) -> None:
        """Raises: InvalidInput with every parameter that is unknown, or given too often, and every
        condition that is not honoured."""
        conditions = () if request.method in SHOWS else conditions_of(request)
        if "?" not in request.raw_path and not conditions:
            return
        resource = request.match_info.route.resource
        if resource is None:
            return
        route = self._of.get((request.method, resource.canonical))
        if route is None:
            return
        honoured = {header.name for header in route.headers}
        faults = [
            fault(name, FaultCode.NO_CONDITION) for name in conditions if name not in honoured
        ]
        if not route.ignores_query:
            faults += _faults([name for name, _ in request.query.items()], route.query)
        refusal = InvalidInput.with_faults(faults)
        if refusal.faults:
            raise refusal


def _faults(given: list[str], declared: tuple[Query, ...]) -> Iterator[Fault]:
    known = {query.name: query for query in declared}
    for name in dict.fromkeys(given):
        if name not in known:
            yield _unknown(name, known)
        elif not known[name].repeated and (count := given.count(name)) > 1:
            yield fault(name, FaultCode.REPEATED_PARAMETER, count=count)


def _unknown(name: str, known: Iterable[str]) -> Fault:
    # What does not look like a name may be a secret that was pasted there; it is not repeated.
    is_shown = NAME.fullmatch(name) or near_name(name, known)
    shown = name if is_shown else NOT_SHOWN
    if not known:
        return fault(shown, FaultCode.NO_PARAMETERS)
    unknown, misspelt = FaultCode.UNKNOWN_PARAMETER, FaultCode.MISSPELT_PARAMETER
    return unknown_name(shown, name, known, unknown, misspelt)
