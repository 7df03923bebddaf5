"""The paths of a workspace's sources."""

from aiohttp import web

ALL = "/v1/workspaces/{ws}/sources"
ONE = f"{ALL}/{{source}}"


def named_in(request: web.Request) -> tuple[str, str]:
    """The ids of the workspace and of the source that the path names."""
    return request.match_info["ws"], request.match_info["source"]
