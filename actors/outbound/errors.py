"""The only translation of errors on the way to a receiver to `ErrorClass`."""

import errno
import socket
import ssl

import aiohttp

from hookbundle.engine.delivery.outcomes import ErrorClass

LOCAL_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
NO_ROUTE_ERRNOS = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
)
LOCAL_DNS_CODES = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})
# What a receiver says that wants a client certificate, in TLS 1.3 and before it.
WANTS_CERTIFICATE = ("CERTIFICATE_REQUIRED", "ALERT_BAD_CERTIFICATE", "ALERT_HANDSHAKE_FAILURE")


class LookUpError(OSError):
    """Raised in place of addresses: why a host's name was not resolved, as the owner reads it."""

    def __init__(self, error: ErrorClass, detail: str) -> None:
        super().__init__(None, detail)
        self.error = error
        self.detail = detail


class LookUpTimeoutError(LookUpError):
    def __init__(self) -> None:
        detail = "the host name was not found within the time limit"
        super().__init__(ErrorClass.TIMEOUT_CONNECT, detail)


class ProxyError(OSError):
    """The operator's proxy did not let a request through. The detail names no address of it."""

    def __init__(self, error: ErrorClass, detail: str) -> None:
        super().__init__(None, detail)
        self.error = error
        self.detail = detail


class NotHttpError(Exception):
    """What the receiver sent is no answer, for it has no status."""


class EndedError(Exception):
    """The connection ended before a status. `by`: None if the receiver just closed it."""

    def __init__(self, by: BaseException | None) -> None:
        super().__init__("the connection ended")
        self.by = by


def classify(exc: BaseException) -> tuple[ErrorClass, str]:
    """The class of the error that ended the attempt, and a sentence without internal details."""
    match exc:
        case ProxyError():
            return exc.error, exc.detail
        case aiohttp.ConnectionTimeoutError():
            return ErrorClass.TIMEOUT_CONNECT, "no connection within the time limit"
        case aiohttp.ClientConnectorDNSError():
            return _classify_look_up(exc.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return ErrorClass.TLS, f"certificate refused: {_certificate_fault(exc)}"
        case aiohttp.ClientConnectorSSLError():
            return ErrorClass.TLS, _tls_fault(exc.os_error)
        case aiohttp.ClientConnectorError():
            return _classify_connect(exc.os_error)
        case NotHttpError():
            return ErrorClass.PROTOCOL, "the answer is not HTTP"
        case EndedError(by=ssl.SSLError() as by):
            return ErrorClass.TLS, _tls_fault(by)
        case TimeoutError():
            return ErrorClass.TIMEOUT_TOTAL, "no answer within the time limit"
        case _:
            return ErrorClass.RESET, "the connection ended before an answer came"


def _classify_look_up(error: OSError) -> tuple[ErrorClass, str]:
    if isinstance(error, LookUpError):
        return error.error, error.detail
    if error.errno in LOCAL_ERRNOS or error.errno in LOCAL_DNS_CODES:
        return ErrorClass.LOCAL, "this machine could not look the host up"
    return ErrorClass.DNS, "the host name was not found"


def _classify_connect(error: OSError) -> tuple[ErrorClass, str]:
    code = error.errno
    name = errno.errorcode.get(code or 0, "")
    if code in LOCAL_ERRNOS:
        return ErrorClass.LOCAL, f"this machine could not connect: {name}"
    if code in NO_ROUTE_ERRNOS:
        return ErrorClass.NO_ROUTE, f"there is no way to the address of the host: {name}"
    match code:
        case errno.ECONNREFUSED:
            return ErrorClass.CONNECT_REFUSED, "the connection was refused"
        case errno.ETIMEDOUT:
            return ErrorClass.TIMEOUT_CONNECT, "no connection within the time limit"
        case None if isinstance(error, ConnectionError):  # as asyncio says it of a handshake
            return ErrorClass.TLS, "the receiver broke off the TLS handshake"
        case errno.ECONNRESET | errno.EPIPE | errno.ECONNABORTED:
            return ErrorClass.RESET, "the connection ended before the request was sent"
        case _:
            return ErrorClass.CONNECT, "no connection could be made"


def _certificate_fault(exc: aiohttp.ClientConnectorCertificateError) -> str:
    error = exc.certificate_error
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "invalid"


def _tls_fault(error: OSError) -> str:
    reason = (error.reason if isinstance(error, ssl.SSLError) else None) or ""
    if any(name in reason for name in WANTS_CERTIFICATE):
        return "the receiver refused the TLS handshake; it may want a client certificate"
    return "the TLS handshake failed"
