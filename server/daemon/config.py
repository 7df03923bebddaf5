"""The daemon's configuration: each part's own, put together by `hookbundle run`."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.outbound.proxy import Proxy
from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.actors.store import StoreConfig
from hookbundle.actors.timer import TimerConfig
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.server.console.console import ConsoleConfig
from hookbundle.server.feed.subscription import FeedConfig
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.tables.routing.quotas import Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonConfig:
    """Only the daemon sees the whole; every part gets its own.

    `tls`: whom the client of receivers trusts, and its certificate; None: as this machine does.
    """

    data: Path
    listeners: ListenersConfig
    store: StoreConfig = StoreConfig()
    history_total: HistoryTotal = HistoryTotal()
    quota: Quota = Quota()
    policy: BackoffPolicy = BackoffPolicy()
    limits: AttemptLimits = AttemptLimits()
    addresses: AddressPolicy = AddressPolicy()
    resolver: ResolverConfig = ResolverConfig()
    tls: ssl.SSLContext | None = None
    proxy: Proxy | None = None
    smtp: SmtpConfig = SmtpConfig()
    feed: FeedConfig = FeedConfig()
    console: ConsoleConfig = ConsoleConfig()
    product_name: str = "the inbox"
    in_flight_max: int = 2_000
    stop_within_s: float = 20.0
    trust_clock: bool = False

    @property
    def timer(self) -> TimerConfig:
        return TimerConfig(self.product_name, self.history_total, self.store.floor_bytes)

    @property
    def way_out(self) -> tuple[object, ...]:
        """New connections are needed where it changes. Certificates are read anew with the rest."""
        return self.addresses, self.limits, self.tls, self.proxy
