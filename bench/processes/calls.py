"""Calls that a bench makes of its daemon before it measures."""

import http.client
import json
import socket


def connected(path: str) -> http.client.HTTPConnection:
    """A connection over the control socket."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    return connection


def made(path: str, method: str, resource: str, document: object) -> dict[str, str]:
    """What the daemon says of a resource that it has made."""
    connection = connected(path)
    content = {"Content-Type": "application/json"}
    connection.request(method, resource, json.dumps(document), content)
    answer = connection.getresponse()
    said: dict[str, str] = json.loads(answer.read())
    if answer.status != 201:
        raise RuntimeError(f"{resource} was answered {answer.status} {said}")
    connection.close()
    return said


def new_token(path: str) -> str:
    """A token with which messages of all workspaces may be posted."""
    return made(path, "POST", "/v1/tokens", {"scope": "intake"})["token"]
