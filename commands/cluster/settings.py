"""The settings `cluster.*` as what the daemon and the commands use of them."""

import os
import secrets
import socket
import stat
from pathlib import Path

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.commands.configuration.paths import data_directory
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.engine.errors import ConfigError
from hookbundle.engine.replication.cluster import KEY_BYTES, ClusterConfig
from hookbundle.engine.replication.names import CLUSTER, NODE, Names, node_name
from hookbundle.storage.database import files

KEY_FILE = "cluster.key"
SCHEMES = ("nats://", "tls://")


def servers(config: Configuration) -> Servers:
    """Where the log servers are. Raises: ConfigError."""
    urls = config.get("cluster.servers", tuple)
    for url in urls:
        if not url.startswith(SCHEMES):
            raise ConfigError(f"cluster.servers: {url!r} must begin with nats:// or tls://")
        if "@" in url:
            raise ConfigError("cluster.servers: a password belongs into cluster.credentials")
    if not urls:
        raise ConfigError("cluster.servers: name the log servers, such as tls://n1.example:4222")
    given = config.get("cluster.credentials", str)
    user, colon, password = given.partition(":")
    if given and not (user and colon and password):
        raise ConfigError("cluster.credentials: must be USER:PASSWORD")
    ca_file = config.get("cluster.tls_ca", str)
    if ca_file and not Path(ca_file).is_file():
        raise ConfigError(f"cluster.tls_ca: there is no file {ca_file}")
    return Servers(urls=urls, user=user, password=password, ca_file=ca_file)


def names(config: Configuration) -> Names:
    """Raises: ConfigError."""
    name = config.get("cluster.name", str)
    if not CLUSTER.fullmatch(name):
        raise ConfigError(f"cluster.name: {name!r} must have 1 to 32 of a-z, 0-9 and -")
    return Names(name)


def cluster_config(config: Configuration) -> ClusterConfig:
    """Raises: ConfigError, also if the key is not there."""
    return ClusterConfig(
        name=names(config).cluster,
        node=_node(config),
        copies=config.get("cluster.copies", int),
        dead_after_s=config.get("cluster.dead_after", int) / 1000,
        generation_bytes=config.get("cluster.generation_size", int),
        erase_within_ms=config.get("cluster.erase_within", int),
        key=read_key(key_file(config)),
    )


def _node(config: Configuration) -> str:
    given = config.get("cluster.node", str)
    name = given if given and NODE.fullmatch(given) else node_name(given or socket.gethostname())
    if name is None or (given and name != given):
        words = given or socket.gethostname()
        raise ConfigError(f"cluster.node: {words!r} must have 1 to 64 letters, digits, - and _")
    return name


def key_file(config: Configuration) -> Path:
    given = config.get("cluster.key", str)
    return Path(given).expanduser() if given else data_directory(config) / KEY_FILE


def read_key(path: Path) -> bytes:
    """The key in the file. Raises: ConfigError, with what to do."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ConfigError(f"cluster.key: others may use {path}; chmod 600 {path}")
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise ConfigError(
            f"cluster.key: there is no {path}; copy the file that `hookbundle cluster init` wrote"
        ) from None
    except OSError as exc:
        raise ConfigError(f"cluster.key: {path} can't be read: {exc.strerror}") from exc
    except ValueError:
        raise ConfigError(f"cluster.key: {path} does not hold a key") from None
    if len(key) != KEY_BYTES:
        raise ConfigError(f"cluster.key: {path} has {len(key)} bytes, and a key {KEY_BYTES}")
    return key


def made_key(path: Path) -> tuple[bytes, bool]:
    """The key in the file, and whether it was made now. Raises: ConfigError."""
    if path.exists():
        return read_key(path), False
    try:
        files.make_directory(path.parent)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(fd)
        files.sync(path.parent)
    except OSError as exc:
        raise ConfigError(f"cluster.key: {path} can't be written: {exc.strerror}") from exc
    return read_key(path), True
