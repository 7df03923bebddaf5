"""The settings `cluster.*` as what the daemon and the commands use of them."""

import os
import re
import secrets
import socket
import ssl
import stat
from importlib.util import find_spec
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
JWT, SEED = "-----BEGIN NATS USER JWT-----", "-----BEGIN USER NKEY SEED-----"
NKEY = re.compile(r"SU[A-Z2-7]{56}")  # the seed of a user's key
CREDS = (
    "cluster.credentials: must be USER:PASSWORD, the path of a .creds file, or the seed of an "
    "nkey of a user"
)


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
    found = Servers(
        urls=urls,
        ca_file=config.get("cluster.tls_ca", str),
        cert_file=config.get("cluster.tls_cert", str),
        key_file=config.get("cluster.tls_key", str),
        **_login(config.get("cluster.credentials", str).strip()),
    )
    _check_certificates(found)
    return found


def _login(given: str) -> dict[str, str]:
    """Raises: ConfigError, which does not say what was given."""
    if given.startswith(("/", "~")):
        try:
            given = Path(given).expanduser().read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise ConfigError("cluster.credentials: the file that it names can't be read") from None
    is_seed = bool(NKEY.fullmatch(given))
    if is_seed or JWT in given:
        if not is_seed and SEED not in given:
            raise ConfigError("cluster.credentials: there is a JWT, and no seed of its user's key")
        if find_spec("nkeys") is None:
            raise ConfigError(
                "cluster.credentials: keys need a package that is not installed; install it with: "
                "pip install 'hookbundle[cluster-keys]'"
            )
        return {"seed": given} if is_seed else {"creds": f"{given}\n"}
    user, colon, password = given.partition(":")
    if given and not (user and colon and password):
        raise ConfigError(CREDS)
    return {"user": user, "password": password}


def _check_certificates(servers: Servers) -> None:
    """Raises: ConfigError."""
    named = {"tls_ca": servers.ca_file, "tls_cert": servers.cert_file, "tls_key": servers.key_file}
    for name, file in named.items():
        if file and not Path(file).is_file():
            raise ConfigError(f"cluster.{name}: there is no file {file}")
    if servers.key_file and not servers.cert_file:
        raise ConfigError("cluster.tls_key: there is no cluster.tls_cert that it belongs to")
    if not servers.cert_file:
        return
    try:
        ssl.create_default_context().load_cert_chain(servers.cert_file, servers.key_file or None)
    except ssl.SSLError:
        raise ConfigError(
            f"cluster.tls_cert: {servers.cert_file} has no certificate in PEM form with its key"
        ) from None
    except OSError as exc:
        raise ConfigError(f"cluster.tls_cert: {exc.filename} can't be read") from exc


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
        node=node(config),
        copies=config.get("cluster.copies", int),
        dead_after_s=config.get("cluster.dead_after", int) / 1000,
        generation_bytes=config.get("cluster.generation_size", int),
        erase_within_ms=config.get("cluster.erase_within", int),
        key=read_key(key_file(config)),
    )


def node(config: Configuration) -> str:
    """The name of this node. Raises: ConfigError."""
    given = config.get("cluster.node", str)
    name = given if given and NODE.fullmatch(given) else node_name(given or socket.gethostname())
    if name is None or (given and name != given):
        words = given or socket.gethostname()
        raise ConfigError(
            f"cluster.node: {words!r} must have 1 to 64 letters, digits, - and _, and no - in front"
        )
    return name


def key_file(config: Configuration) -> Path:
    given = config.get("cluster.key", str)
    return Path(given).expanduser() if given else data_directory(config) / KEY_FILE


def read_key(path: Path) -> bytes:
    """The key in the file. Raises: ConfigError, with what to do."""
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not _is_given(path):
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


def _is_given(path: Path) -> bool:
    """Whether the service manager gives the file to this process alone. It lets the process's user
    read it by an access list, which the mode shows as a right of the group."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    is_for_others = path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP)
    return bool(folder) and path.is_relative_to(str(folder)) and not is_for_others


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
