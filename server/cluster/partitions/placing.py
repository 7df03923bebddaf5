"""Which partition a request is for: by its workspace, by the token of a source, or, between nodes,
by a header."""

from dataclasses import replace

from aiohttp import web

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster.asked import Asked
from hookbundle.server.http.requests import hint_of, number_of
from hookbundle.server.http.resources.sources.secrets import PREFIX, WORKSPACE_BYTES

OF_ALL = 0  # has the tokens for all workspaces, and what belongs to none; every node follows it
PARTITION = "Hb-Partition"
"""Names the partition between nodes, where the path does not."""
HASH_CHARS = 2 * WORKSPACE_BYTES


def of_workspace(workspace_id: str, partitions: int) -> int:
    return partition_of(workspace_id, partitions)


def of_source_token(token: str, partitions: int) -> int:
    """Of the workspace in whose hash the token begins. What is no token is anybody's: 0."""
    if not token.startswith(PREFIX):
        return 0
    digits = token[len(PREFIX) : len(PREFIX) + HASH_CHARS]
    try:
        return int.from_bytes(bytes.fromhex(digits)) % partitions
    except ValueError:
        return 0


def of_path(request: web.Request, partitions: int) -> int | None:
    """The partition that the request's path names; None if it names none."""
    found = request.match_info
    if "ws" in found:
        return of_workspace(found["ws"], partitions)
    if "token" in found and request.path.startswith("/v1/sources/"):
        return of_source_token(found["token"], partitions)
    return None


def at(number: int, asked: Asked) -> Asked:
    """The same, for the partition of this number."""
    return replace(asked, headers=(*asked.headers, (PARTITION, str(number))))


def of_header(request: web.Request) -> int:
    """The partition that another node has named; one that is nobody's if it named none."""
    number = number_of(hint_of(request, PARTITION), 1_000)
    return -1 if number is None else number
