"""Keys and JWTs of log servers, as `nsc` would make them: an operator, its account, and users.

keys = Keys.made()
LogServer(folder, more=keys.server())   # takes who has keys.creds()
"""

import base64
import json
import os
from dataclasses import dataclass
from typing import Any

import nkeys

LIMITS = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1)
OF_JETSTREAM = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


@dataclass(frozen=True, slots=True)
class Key:
    seed: bytes

    @classmethod
    def made(cls, kind: int) -> "Key":
        return cls(nkeys.encode_seed(os.urandom(32), kind))

    @property
    def public(self) -> str:
        return str(self._pair.public_key.decode())

    @property
    def _pair(self) -> Any:
        return nkeys.from_seed(bytearray(self.seed))

    def signed(self, subject: str, nats: dict[str, Any]) -> str:
        """A JWT of the subject, issued by this key."""
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        claims = {"jti": "of tests", "iat": 1, "iss": self.public, "sub": subject, "nats": nats}
        text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        return f"{text}.{_encoded(self._pair.sign(text.encode()))}"


@dataclass(frozen=True, slots=True)
class Keys:
    operator: Key
    account: Key
    system: Key

    @classmethod
    def made(cls) -> "Keys":
        account = nkeys.PREFIX_BYTE_ACCOUNT
        return cls(Key.made(nkeys.PREFIX_BYTE_OPERATOR), Key.made(account), Key.made(account))

    def server(self) -> str:
        """Lines of a server's configuration."""
        operator = {"type": "operator", "version": 2, "system_account": self.system.public}
        limits: dict[str, int | bool] = {**LIMITS, "wildcards": True}
        of_account = {"type": "account", "version": 2}
        accounts = "\n".join(
            f"  {each.public}: {self.operator.signed(each.public, {**of_account, 'limits': its})}"
            for each, its in ((self.account, {**limits, **OF_JETSTREAM}), (self.system, limits))
        )
        return (
            f"operator: {self.operator.signed(self.operator.public, operator)}\n"
            f"system_account: {self.system.public}\n"
            f"resolver: MEMORY\nresolver_preload: {{\n{accounts}\n}}"
        )

    def creds(self, user: Key | None = None) -> str:
        """The text of a .creds file: of a user of the account, or of one that signs for itself."""
        found = user or Key.made(nkeys.PREFIX_BYTE_USER)
        limits = {"subs": -1, "data": -1, "payload": -1}
        by = self.account if user is None else user
        jwt = by.signed(found.public, {"type": "user", "version": 2, **limits})
        return (
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{found.seed.decode()}\n"
            "------END USER NKEY SEED------\n"
        )


def user_key() -> Key:
    return Key.made(nkeys.PREFIX_BYTE_USER)


def _encoded(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")
