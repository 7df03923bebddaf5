"""The only translation of aiohttp's errors to `ErrorClass`."""

import errno
import socket
import ssl

import aiohttp
from aiohttp.http import HttpProcessingError

from hookbundle.engine.delivery.outcomes import ErrorClass

LOCAL_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
)
NO_ROUTE_ERRNOS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN})
LOCAL_DNS_CODES = frozenset({socket.EAI_SYSTEM, socket.EAI_MEMORY})


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


def classify(exc: BaseException) -> tuple[ErrorClass, str]:
    """The class of the error that ended the attempt, and a sentence without internal details."""
    match exc:
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return ErrorClass.INVALID_URL, "the URL can't be called"
        case aiohttp.ConnectionTimeoutError():
            return ErrorClass.TIMEOUT_CONNECT, "no connection within the time limit"
        case aiohttp.ClientConnectorDNSError():
            return _classify_look_up(exc.os_error)
        case aiohttp.ClientConnectorCertificateError():
            return ErrorClass.TLS, f"certificate refused: {_certificate_fault(exc)}"
        case aiohttp.ClientSSLError():
            return ErrorClass.TLS, "the TLS handshake failed"
        case aiohttp.ClientConnectorError():
            return _classify_connect(exc.os_error)
        case aiohttp.ClientResponseError() | HttpProcessingError():
            return ErrorClass.PROTOCOL, "the answer is not HTTP"
        case TimeoutError():
            return ErrorClass.TIMEOUT_TOTAL, "no answer within the time limit"
        case OSError() | aiohttp.ClientConnectionError():
            return ErrorClass.RESET, "the connection ended before an answer came"
        case _:
            return ErrorClass.PROTOCOL, "the answer can't be understood"


def _classify_look_up(error: OSError) -> tuple[ErrorClass, str]:
    if isinstance(error, LookUpError):
        return error.error, error.detail
    if error.errno in LOCAL_ERRNOS or error.errno in LOCAL_DNS_CODES:
        return ErrorClass.LOCAL, "this machine could not look the host up"
    return ErrorClass.DNS, "the host name was not found"


def _classify_connect(error: OSError) -> tuple[ErrorClass, str]:
    code = error.errno
    if code in LOCAL_ERRNOS:
        name = errno.errorcode.get(code or 0, "")
        return ErrorClass.LOCAL, f"this machine could not connect: {name}"
    if code in NO_ROUTE_ERRNOS:
        return ErrorClass.NO_ROUTE, "there is no route to the host"
    match code:
        case errno.ECONNREFUSED:
            return ErrorClass.CONNECT_REFUSED, "the connection was refused"
        case errno.ETIMEDOUT:
            return ErrorClass.TIMEOUT_CONNECT, "no connection within the time limit"
        case errno.ECONNRESET | errno.EPIPE | errno.ECONNABORTED:
            return ErrorClass.RESET, "the connection ended before the request was sent"
        case _:
            return ErrorClass.CONNECT, "no connection could be made"


def _certificate_fault(exc: aiohttp.ClientConnectorCertificateError) -> str:
    error = exc.certificate_error
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else "invalid"
