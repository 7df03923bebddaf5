"""The way to receivers, of the settings: the operator's proxy, whom to trust, a client certificate.

The files are read when the daemon starts and at each reload, so that a certificate can be renewed.
"""

import re
import ssl
from urllib.parse import unquote, urlsplit

from hookbundle.actors.outbound.proxy import Proxy
from hookbundle.commands.configuration.settings import Configuration
from hookbundle.engine.errors import ConfigError

HOST = re.compile(r"[0-9A-Za-z._:-]+")
EXAMPLE = "http://proxy.example.com:3128 or http://USER:PASSWORD@proxy.example.com:3128"


def proxy(config: Configuration) -> Proxy | None:
    """Raises: ConfigError, which never shows the password."""
    written = config.get("delivery.proxy", str)
    if not written:
        return None
    try:
        parts = urlsplit(written)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    is_whole = parts.scheme == "http" and HOST.fullmatch(host) and port
    if not is_whole or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(f"delivery.proxy: must be like {EXAMPLE}")
    assert port is not None
    login = ""
    if "@" in parts.netloc:
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        if not login.isprintable() or ":" in unquote(parts.username or ""):
            raise ConfigError("delivery.proxy: user name or password has what no proxy takes")
    return Proxy(host, port, login, config.values["delivery.proxy_names"].value)


def tls_context(config: Configuration) -> ssl.SSLContext | None:
    """What differs from what this machine trusts; None if nothing does. Raises: ConfigError."""
    ca_file = config.get("delivery.ca_file", str)
    certificate = config.get("delivery.client_certificate", str)
    key = config.get("delivery.client_key", str)
    if key and not certificate:
        raise ConfigError("delivery.client_key: needs delivery.client_certificate beside it")
    if not ca_file and not certificate:
        return None
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if ca_file:
        _trust(context, ca_file)
    if certificate:
        _present(context, certificate, key)
    return context


def _trust(context: ssl.SSLContext, path: str) -> None:
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as exc:
        raise ConfigError(f"delivery.ca_file: {path} holds no certificate in PEM form") from exc
    except OSError as exc:
        raise ConfigError(f"delivery.ca_file: {path} can't be read: {exc.strerror}") from exc


def _present(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """A key with a password would be asked for on the terminal; an empty one is refused instead."""
    try:
        context.load_cert_chain(certificate, key or None, password="")
    except ssl.SSLError as exc:
        where = f" and {key}" if key else ""
        raise ConfigError(
            f"delivery.client_certificate: {certificate}{where} must hold a certificate and its own"
            " key in PEM form, the key without a password"
        ) from exc
    except OSError as exc:
        name = exc.filename or (f"{certificate} or {key}" if key else certificate)
        raise ConfigError(
            f"delivery.client_certificate: {name} can't be read: {exc.strerror}"
        ) from exc
