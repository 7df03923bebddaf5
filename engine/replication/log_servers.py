"""What a log server says of itself, and why a cluster can't be on it: pure."""

import re

SERVER_OLDEST = (2, 12)
PAYLOAD_LEAST = 1 << 20
REPLICAS = 3  # on as many servers each entry should be: one may be lost, and none is missed
VERSION = re.compile(r"(\d+)\.(\d+)\.")


def faults_of(server: dict[str, object], *, insecure: bool) -> list[str]:
    """Why a cluster can't be on the server that says this of itself."""
    found = []
    version = VERSION.match(str(server.get("version")))
    if version is None or (int(version[1]), int(version[2])) < SERVER_OLDEST:
        oldest = ".".join(map(str, SERVER_OLDEST))
        found.append(f"it is NATS {server.get('version')}, and must be {oldest} or newer")
    if not server.get("jetstream"):
        found.append("it has no JetStream; add `jetstream { sync_interval: always }`")
    payload = server.get("max_payload")
    if not isinstance(payload, int) or payload < PAYLOAD_LEAST:
        found.append(f"max_payload is {payload}, and must be {PAYLOAD_LEAST} or more")
    if not insecure and not server.get("tls_required"):
        found.append("it does not want TLS; secrets would go over the network in clear")
    if not insecure and not server.get("auth_required"):
        found.append("it lets everybody in, who could read all and send in your name")
    return found
