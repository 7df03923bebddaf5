"""A real SMTP server (aiosmtpd) on a free port of 127.0.0.1: plain, STARTTLS or TLS, with login."""

import asyncio
import ssl
import warnings
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal, Self

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from hookbundle.actors.mailer import SmtpConfig

TIMEOUT_S = 6.0
USERNAME, PASSWORD = "hookbundle", "correct horse"

# A self-signed certificate for localhost and 127.0.0.1, until 2126. The key is for tests only.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglEyE83OUfGHw68vL
6fHBXoJ7aZypHhxCQuDn2p87SEWhRANCAAQZSD8k6KgelJoMOFSOiNYQPzZE7nf8
X0+s23j4cXCH+nGIhJVlzeBlcsLXOTafXShpTJ7iY9S1R9/asRXSkk3Q
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBdzCCAR6gAwIBAgICEAAwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxo
b3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjYxMDI5MDAwMDAwWjAUMRIwEAYDVQQD
DAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQZSD8k6KgelJoM
OFSOiNYQPzZE7nf8X0+s23j4cXCH+nGIhJVlzeBlcsLXOTafXShpTJ7iY9S1R9/a
sRXSkk3Qo14wXDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBQXKLVlbulkAZp7
cIpDJ+Qfzj6L5DAOBgNVHQ8BAf8EBAMCAoQwGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMAoGCCqGSM49BAMCA0cAMEQCIB8paqHgZiOf3xPOh8WxIx3zSev+egbk
Rh7g+yZ58W+rAiBNnBxodN7CcWQDHA1KMoxlam1aRpdxfAbphjhXIbsrqQ==
-----END CERTIFICATE-----
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the server got. `to`: the envelope's recipients; `raw`: the bytes after DATA."""

    to: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def text(self) -> str:
        return str(self.mail.get_content()).replace("\r\n", "\n")


@dataclass(slots=True)
class MailServer:
    folder: Path
    security: Literal["tls", "starttls", "none"] = "none"
    login: bool = False
    refusals: int = 0  # the number of mails to refuse with 451 first
    quotes: bool = False  # a refusal quotes the address
    taken: asyncio.Queue[Taken] = field(default_factory=asyncio.Queue)
    tries: list[Taken] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        tls = self._tls() if self.security != "none" else None
        starttls = self.security == "starttls"

        def talk() -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about insecure settings, which the tests need
                return SMTP(
                    self,
                    hostname="mail.example",
                    tls_context=tls if starttls else None,
                    require_starttls=starttls,
                    auth_required=self.login,
                    auth_require_tls=starttls,
                    authenticator=_authenticate if self.login else None,
                )

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            talk, "127.0.0.1", self.port, ssl=None if starttls else tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def config(self, **more: Any) -> SmtpConfig:
        """The configuration with which a daemon uses the server."""
        given = {
            "host": "127.0.0.1",
            "port": self.port,
            "security": self.security,
            "sender": "hookbundle@mail.example",
            "ca_file": str(self.folder / "mail.pem") if self.security != "none" else "",
            "username": USERNAME if self.login else "",
            "password": PASSWORD if self.login else "",
        }
        return SmtpConfig(**{**given, **more})

    async def next(self) -> Taken:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.taken.get()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        taken = Taken(tuple(envelope.rcpt_tos), bytes(envelope.content))
        self.tries.append(taken)
        if self.refusals:
            self.refusals -= 1
            return (
                f"451 no mailbox {taken.to[0].upper()}" if self.quotes else "451 come again later"
            )
        self.taken.put_nowait(taken)
        return "250 taken"

    def _tls(self) -> ssl.SSLContext:
        path = self.folder / "mail.pem"
        path.write_text(CERTIFICATE)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
    wanted = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == wanted, handled=False)  # so the server answers a refusal
