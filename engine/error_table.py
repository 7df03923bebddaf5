"""What each code of an error means: one row for each, and the titles of their statuses."""

from hookbundle.engine.error_codes import Code, Meaning
from hookbundle.engine.resource_errors import AGAIN, LATER, OF_RESOURCES

TITLES: dict[int, str] = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Request too slow",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    417: "Expectation failed",
    421: "Wrong host",
    422: "Invalid input",
    428: "Precondition required",
    429: "Over a limit",
    431: "Head too large",
    500: "Internal error",
    501: "Not there",
    503: "Not now",
    504: "Not known",
    507: "Out of storage",
}
REPORT = "tell the operator the number of this request; the daemon's log says why"

MEANINGS: dict[Code, Meaning] = {
    Code.UNREADABLE_REQUEST: Meaning(
        400, "this can't be read as a request of HTTP/1.1", "check what your client sends"
    ),
    Code.HOST_MISSING: Meaning(400, "the request has not one Host header", "send one"),
    Code.PATH_NOT_UTF8: Meaning(400, "the path is not UTF-8", "percent-encode it as UTF-8"),
    Code.HEADER_NOT_UTF8: Meaning(400, "the header {header} is not UTF-8", "send it as UTF-8"),
    Code.BODY_GARBLED: Meaning(
        400,
        "the body is not what Content-Encoding or Transfer-Encoding say",
        "send the body as these headers say",
    ),
    Code.SMALL_CHUNKS: Meaning(
        400, "the body comes in chunks that are too small", "send larger chunks"
    ),
    Code.FORM_GARBLED: Meaning(
        400, "the form is not UTF-8, or has more than {most} fields", "load the page again"
    ),
    Code.SOURCE_BODY_NOT_JSON: Meaning(
        400,
        "the body of the source's request is not JSON",
        "see what the other system sends: the source keeps its last requests",
    ),
    Code.NO_TOKEN: Meaning(
        401,
        "the request has no token of this daemon",
        "send `Authorization: Bearer TOKEN`; `hookbundle token create` makes a token",
    ),
    Code.SOURCE_NOT_PROVEN: Meaning(
        401,
        "the signature of the source's request, or its secret header, is missing or wrong",
        "set the same secret in the other system and in the source",
    ),
    Code.TOKEN_EXPIRED: Meaning(
        401,
        "the token {token} expired at {at}",
        "make another one with `hookbundle token create`",
    ),
    Code.INTAKE_TOKEN: Meaning(
        403,
        "this token may only send messages: its scope is `intake`",
        "use a token of scope `admin`",
    ),
    Code.TOKEN_OF_WORKSPACE: Meaning(
        403,
        "this token is good for the workspace {own} only",
        "use a token of the other workspace, or an operator's",
    ),
    Code.OPERATORS_ONLY: Meaning(
        403,
        "this is for the operator, and this token is that of the workspace {own}",
        "use a token that is good for all workspaces",
    ),
    Code.OWNER_EMAIL_FIXED: Meaning(
        403,
        "the owner's e-mail address can't be changed with a token of the workspace",
        "ask the operator to change it",
    ),
    Code.CONTROL_SOCKET_ONLY: Meaning(
        403,
        "a backup is made over the control socket only",
        "run `hookbundle backup` on the daemon's machine",
    ),
    Code.SIGNED_OUT: Meaning(403, "you are not signed in", "sign in"),
    Code.FOREIGN_PAGE: Meaning(
        403, "this request comes from a page of somebody else", "begin at the console's own page"
    ),
    Code.FOREIGN_FORM: Meaning(403, "this form is not of your session", "load the page again"),
    Code.NO_PATH: Meaning(404, "there is nothing at this path", "check it; see `/openapi.json`"),
    Code.NO_PAGE: Meaning(404, "there is no such page", "check its address"),
    Code.METHOD_NOT_ALLOWED: Meaning(
        405, "this path has no such method", "use one that the header Allow names"
    ),
    Code.BODY_TOO_SLOW: Meaning(408, "the body took too long to arrive", "send it anew", True),
    Code.BODY_TOO_LARGE: Meaning(413, "the body is larger than {most} bytes", "send less at once"),
    Code.UNKNOWN_ENCODING: Meaning(
        415,
        "the Content-Encoding {encoding} is not known here",
        "send the body as it is, or with gzip or deflate",
    ),
    Code.NOT_A_FORM: Meaning(
        415, "what was sent is not a form as a browser sends it", "use the form of the page"
    ),
    Code.UNKNOWN_EXPECTATION: Meaning(
        417, "of Expect, only 100-continue is known", "leave the header out"
    ),
    Code.WRONG_HOST: Meaning(
        421,
        "this daemon is not called {host}",
        "call it by its own name; the setting http.hosts names more",
    ),
    Code.INVALID_INPUT: Meaning(
        422, "the input has faults, and nothing of it was stored", "correct what `errors` names"
    ),
    Code.WAITING_FULL: Meaning(
        429,
        "webhook {webhook} of workspace {workspace} has {count} messages of {bytes} bytes that "
        "wait, of at most {most} messages and {bytes_max} bytes",
        "more are taken when some were sent or discarded",
        True,
    ),
    Code.CHATS_FULL: Meaning(
        429,
        "webhook {webhook} of workspace {workspace} collects the messages of {count} chats, of at "
        "most {most}",
        "those of other chats are taken when some windows have ended",
        True,
    ),
    Code.HELD_FULL: Meaning(
        429,
        "webhook {webhook} of workspace {workspace} can't send, and holds {count} messages of at "
        "most {most}",
        "enable it or set its URL, or discard what is held",
    ),
    Code.HELD_TOO_LONG: Meaning(
        429,
        "webhook {webhook} of workspace {workspace} has been disabled for longer than messages "
        "are held",
        "enable it, or discard what is held",
    ),
    Code.SHARE_USED: Meaning(429, "you have your share of {what}", AGAIN, True),
    Code.ALLOWANCE_USED: Meaning(
        429,
        "this workspace has had its {most} {what}",
        "the next one is possible in {minutes} min",
        True,
    ),
    Code.TOO_MANY_LIVE_PAGES: Meaning(
        429, "{count} pages of this session are live already", "close one of them"
    ),
    Code.HEAD_TOO_LARGE: Meaning(
        431, "the head of a request has 64 KiB at most", "send fewer or shorter headers"
    ),
    Code.HEAD_LINE_TOO_LONG: Meaning(
        431, "a line of the head is longer than {most} bytes", "send shorter headers"
    ),
    Code.INTERNAL_ERROR: Meaning(500, "the daemon failed over this request", REPORT),
    Code.NOT_READY: Meaning(
        503, "the daemon is not ready", "`reasons` and `hookbundle status` say why", True
    ),
    Code.STOPPING: Meaning(503, "the daemon is stopping", "try again when it is back", True),
    Code.UPGRADING: Meaning(
        503, "the daemon upgrades its database", "try again when it has ended", True
    ),
    Code.ALL_USED: Meaning(503, "the daemon has all the {what} it can take", AGAIN, True),
    Code.CONNECTIONS_USED: Meaning(503, "all connections are in use", AGAIN, True),
    Code.FEED_FULL: Meaning(503, "the feed has {most} connections and takes no more", AGAIN, True),
    Code.DATABASE_GROWING: Meaning(503, "the database has to grow", AGAIN, True),
    Code.ACTOR_FAILED: Meaning(503, "{actor} failed over this: {error}", AGAIN, True),
    Code.QUARANTINED: Meaning(
        503,
        "{actor} is in quarantine until {until_ms} ms after failing too often, at last with "
        "{error}",
        "wait a few minutes, or ask the operator to release it",
        True,
    ),
    Code.STORE_STOPPED: Meaning(503, "the store has stopped", LATER, True),
    Code.NOT_OWNER: Meaning(503, "another node has taken this over", AGAIN, True),
    Code.NO_OWNER: Meaning(
        503,
        "no node of the cluster has taken over partition {partition} yet",
        "try again: another node takes over within seconds",
        True,
    ),
    Code.LOG_WAITS: Meaning(
        503,
        "the cluster's log servers do not answer: nobody knows yet whether this was stored",
        "send messages again, they are known by their ids; look before you repeat anything else",
        True,
    ),
    Code.PARTITION_STOPPED: Meaning(
        503,
        "partition {partition} has stopped: its log has lost what was acknowledged before",
        "an operator has to look; `hookbundle cluster recover` says what there is to go on with",
    ),
    Code.PARTS_MISSING: Meaning(
        503,
        "the answer would not be whole: of the partitions these did not answer: {missing}",
        AGAIN,
        True,
    ),
    Code.NOT_IN_A_CLUSTER: Meaning(
        501,
        "in a cluster of several partitions there is no {what}",
        "docs/cluster.md says what to use instead",
    ),
    Code.ANSWER_LOST: Meaning(
        504,
        "another node was asked to do this, and its answer was lost: it may have been done or not",
        "look whether it was done before you ask again",
    ),
    Code.STORE_FAILED: Meaning(503, "the store failed: {error}", REPORT),
    Code.DATA_READ_ONLY: Meaning(
        503,
        "the file system of the data is read-only: the kernel may have made it so after an "
        "error of the disk, see `dmesg`",
        "mount it for writing, and restart the daemon",
    ),
    Code.DATA_DAMAGED: Meaning(503, "what is stored is damaged", REPORT),
    Code.DATA_UNUSABLE: Meaning(503, "the data can't be used", REPORT),
    Code.DISK_FULL: Meaning(507, "the disk is full or failing", "free space on it", True),
    Code.DISK_NEARLY_FULL: Meaning(
        507,
        "the disk is nearly full: intake is closed until there is room",
        "free space on the daemon's disk",
        True,
    ),
    Code.MAP_FULL: Meaning(507, "the database has no room in its map", AGAIN, True),
    **OF_RESOURCES,
    Code.BAD_REQUEST: Meaning(400, "the request is no good as it is", "check what is sent"),
    Code.NOT_ALLOWED: Meaning(403, "this is not allowed", "ask the operator"),
    Code.NOT_FOUND: Meaning(404, "there is no such thing", "check its name"),
    Code.CONFLICT: Meaning(409, "its state does not allow this", "look at it again"),
    Code.GONE: Meaning(410, "it is no longer kept", "nothing can be done about it"),
    Code.QUOTA_REACHED: Meaning(429, "the workspace holds all it may", LATER, True),
    Code.TOO_MANY_REQUESTS: Meaning(429, "these were too many requests", AGAIN, True),
    Code.REFUSED: Meaning(503, "this is not possible now", AGAIN, True),
}
