"""The records of e-mails to owners. records.py says how fields are stored."""

from hookbundle.storage.database.records import U32, Frozen, Record


class Disabling(Frozen, frozen=True):
    """What an e-mail says of a webhook that was disabled by errors, as it was then.

    Or of one that is full: then `error` is the code of the reason, and `disabled_by` says by what
    it is disabled, if it is (`errors`, `manual`). Or of one that soon will be
    disabled: `errors` of them came in a row, and `errors_max` may.
    """

    webhook: str
    at_ms: int
    host: str
    error: str
    held_messages: int
    held_deliveries: int
    errors: int = 0
    errors_max: int = 0
    disabled_by: str = ""


class Mail(Record):
    """An e-mail about webhooks that are disabled, full or failing, kept until SMTP has accepted it.

    `disablings`: the newest of those it tells of, oldest first; `total`: how many there are;
    `told`: how many it told of before, when it was sent under the same number. `kind`: see
    tables/outbox.py; one without was written before there were kinds, and has in `url` to
    `held_deliveries` what it tells of. `tries`: how often sending failed; `next_ms`: when it is
    tried next; `last_failure`: why the last try failed. `language`, `time_zone`: the workspace's.
    """

    number: int
    workspace: U32
    to: str
    created_ms: int
    workspace_id: str
    workspace_name: str
    url: str = ""
    last_error: str = ""
    held_messages: int = 0
    held_deliveries: int = 0
    tries: int = 0
    next_ms: int = 0
    last_failure: str = ""
    kind: str = ""
    disablings: tuple[Disabling, ...] = ()
    total: int = 1
    told: int = 0
    language: str = "en"
    time_zone: str = "UTC"


class MailHour(Record):
    """What a workspace may send of a kind of e-mail.

    `until_ms`: the end of the hour in which none more leaves; `mail`: the number of the one that
    waits, or 0.
    """

    until_ms: int = 0
    mail: int = 0
