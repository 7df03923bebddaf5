"""Why a webhook was disabled, in words for its owner: what happened, and what most likely helps.

An owner is not the operator: no word of a programming language, no command, nothing that only a
machine's log tells. The cause is known by the last error as it was stored: a status, or the class
or the cause of the error before the colon. What is stored in no known form has words that are true
of any error. Pages of the console word errors by the same table.
"""

import re
from dataclasses import dataclass

from hookbundle.engine.delivery import outcomes, too_large
from hookbundle.engine.delivery.outcomes import ErrorClass

NOT_SUCCESS = outcomes.Cause.NOT_SUCCESS
STATUS = re.compile(rf"(?:{NOT_SUCCESS}: )?(?:status|answered)(?: with)?(?: status)? ([1-9]\d\d)\b")

TAKEN = re.compile(r"takes only ([0-9][0-9, …-]*) as success")


@dataclass(frozen=True, slots=True)
class Explanation:
    """`happened`, `advice`: as they stand in the catalogue, in English.

    `status`: 0 without one; `messages`, `size`: of a request that was too large; `taken`: which
    statuses are a success.
    """

    happened: str
    advice: str
    status: int = 0
    messages: int = 0
    size: str = ""
    taken: str = ""

    @property
    def gaps(self) -> dict[str, int | str]:
        """What is filled in."""
        return {
            "status": self.status,
            "messages": self.messages,
            "size": self.size,
            "taken": self.taken,
        }


def said(text: str) -> str:
    """The text itself; it is found in the catalogue when it is said."""
    return text


UNKNOWN = Explanation(
    said("The last attempt failed."),
    said("The webhook's page shows each request with what came back."),
)
ASK_OPERATOR = said("The operator of this service has to look into it: please ask.")
BY_CLASS: dict[str, Explanation] = {
    ErrorClass.INVALID_URL: Explanation(
        said("The webhook's URL can't be called."),
        said("Correct the URL in the settings: copy it once more from where you got it."),
    ),
    ErrorClass.FORBIDDEN_ADDRESS: Explanation(
        said(
            "The URL leads to an address that this service must not call, as those of private "
            "networks."
        ),
        said(
            "Set a URL that can be reached from the internet, or ask the operator of this "
            "service to allow the address."
        ),
    ),
    ErrorClass.DNS: Explanation(
        said("The host name in the URL was not found."),
        said(
            "Look for a typing error in the URL. If it is right, the domain may have expired, or "
            "its name servers may be down: ask the people who run it."
        ),
    ),
    ErrorClass.CONNECT_REFUSED: Explanation(
        said("The machine of your receiver refused the connection: nothing was listening there."),
        said("Check that the receiver is running, and that the port in the URL is right."),
    ),
    ErrorClass.CONNECT: Explanation(
        said("The machine of your receiver could not be reached."),
        said("Check that it is running and connected, and that no firewall is in the way."),
    ),
    ErrorClass.TLS: Explanation(
        said("No secure connection to your receiver could be made."),
        said(
            "Most often its certificate has expired, or is for another name: ask the people who "
            "run the receiver to renew it."
        ),
    ),
    ErrorClass.TIMEOUT_CONNECT: Explanation(
        said("The machine of your receiver did not answer when it was called."),
        said("Check that it is running and connected, and that no firewall is in the way."),
    ),
    ErrorClass.TIMEOUT_TOTAL: Explanation(
        said("Your receiver did not answer in time."),
        said(
            "It should answer as soon as it has the request, and do its work afterwards. If it "
            "is overloaded, it needs relief."
        ),
    ),
    ErrorClass.RESET: Explanation(
        said("The connection ended before your receiver had answered."),
        said(
            "The receiver may have crashed or been restarted, or a proxy in front of it may have "
            "cut the connection: ask the people who run it."
        ),
    ),
    ErrorClass.PROTOCOL: Explanation(
        said("What came back is not the answer of a web server."),
        said("Check the port in the URL, and whether it has to begin with http or with https."),
    ),
    ErrorClass.LOCAL: Explanation(said("This service could not make the attempt."), ASK_OPERATOR),
    ErrorClass.NO_ROUTE: Explanation(
        said("There was no way through the network to the machine of your receiver."),
        said(
            "Check that its network is connected, and that its host name leads to the right "
            "address."
        ),
    ),
    ErrorClass.LOOK_UPS_FULL: Explanation(
        said("This service was looking up too many host names already."), ASK_OPERATOR
    ),
    ErrorClass.AUTH: Explanation(
        said("No access token for your receiver could be got."),
        said(
            "Check the token URL, the client id and the client secret in the webhook's request: "
            "the secret may have expired."
        ),
    ),
    ErrorClass.PROXY: Explanation(
        said("The proxy of this service could not be used."), ASK_OPERATOR
    ),
    ErrorClass.PROXY_REFUSED: Explanation(
        said("The proxy of this service could not connect to your receiver, or may not."),
        said(
            "Check that the receiver can be reached. If it can, ask the operator of this service "
            "whether its proxy lets it through."
        ),
    ),
    outcomes.Cause.ANSWER: Explanation(
        said("Your receiver's answer was not as the rules of this webhook want it."),
        said(
            "The answer, which the webhook's page shows, often says what went wrong there. If such "
            "an answer means that the message was taken, change the rules for the answer under "
            "“More settings”."
        ),
    ),
    outcomes.Cause.STOOD_STILL: Explanation(
        said("This service stood still for a while, and the time for an answer passed meanwhile."),
        ASK_OPERATOR,
    ),
    outcomes.Cause.GAVE_WAY: Explanation(
        said("Your receiver did not answer for long, and others waited to be called."),
        said("It should answer as soon as it has the request, and do its work afterwards."),
    ),
    outcomes.Cause.RECEIVER_FAILS: Explanation(
        said("Your receiver fails over one request, and took the next one."),
        said("The people who run the receiver can see in its log what is wrong with that request."),
    ),
    outcomes.Cause.STOPPED: Explanation(
        said("This service stopped before the answer was known. The request is sent again."),
        ASK_OPERATOR,
    ),
}
NO_ACCESS = Explanation(
    said("Your receiver refused access (status %(status)s)."),
    said(
        "The key or token in the URL may be wrong or may have expired: make a new one in the "
        "receiver, and set the new URL."
    ),
)
NOT_THERE = Explanation(
    said("Your receiver does not know the address in the URL (status %(status)s)."),
    said(
        "The hook may have been removed there, or may have moved: copy its URL once more from "
        "the receiver."
    ),
)
NOT_AVAILABLE = Explanation(
    said("Your receiver was not available (status %(status)s)."),
    said("It may be down, restarting or overloaded: ask the people who run it."),
)
TOO_LARGE = Explanation(
    said(
        "The request was too large for your receiver (status %(status)s): %(size)s, and messages: "
        "%(messages)s."
    ),
    said(
        "Set smaller limits for the webhook (`limits.messages`, `limits.bytes`), or let the "
        "receiver take larger requests. What was made already stays as large as it is."
    ),
)
ONE_TOO_LARGE = Explanation(
    said("One message alone was too large for your receiver (status %(status)s): %(size)s."),
    said("Let the receiver take larger requests: a message is always sent whole."),
)
BY_STATUS = {
    401: NO_ACCESS,
    403: NO_ACCESS,
    404: NOT_THERE,
    410: NOT_THERE,
    413: Explanation(
        said("The request was too large for your receiver (status %(status)s)."),
        said("Let it take larger requests, or set smaller limits for the webhook."),
    ),
    429: Explanation(
        said("Your receiver got more requests than it allows (status %(status)s)."),
        said(
            "Choose a longer aggregation, which makes fewer requests, or raise the limit in the "
            "receiver."
        ),
    ),
    502: NOT_AVAILABLE,
    503: NOT_AVAILABLE,
    504: NOT_AVAILABLE,
}
BY_HUNDRED = {
    2: Explanation(
        said("Your receiver answered %(status)s; this webhook takes only %(taken)s as success."),
        said(
            "If such an answer means that the message was taken, choose “any status from 200 to "
            "299” under “More settings”. Otherwise the receiver has to answer with a status that "
            "the webhook takes."
        ),
    ),
    3: Explanation(
        said(
            "Your receiver answered with a redirect (status %(status)s), and redirects are not "
            "followed."
        ),
        said("Set the address to which it redirects as the URL."),
    ),
    4: Explanation(
        said("Your receiver rejected the request (status %(status)s)."),
        said(
            "Its answer, which the webhook's page shows, often says why. The people who run the "
            "receiver can see it in its log."
        ),
    ),
    5: Explanation(
        said("Your receiver reported an error of its own (status %(status)s)."),
        said("The people who run the receiver can see in its log what went wrong at that time."),
    ),
}


def explanation_of(error: str) -> Explanation:
    """What is said of the last error, as it was stored."""
    found = STATUS.match(error)
    if found is None:
        return BY_CLASS.get(outcomes.code_of(error), UNKNOWN)
    status = int(found[1])
    if large := too_large.PATTERN.fullmatch(error):
        count = int(large["messages"])
        known = TOO_LARGE if count > 1 else ONE_TOO_LARGE
        return Explanation(known.happened, known.advice, status, count, large["size"])
    known = BY_STATUS.get(status) or BY_HUNDRED.get(status // 100, UNKNOWN)
    if status == 200:  # it was no success for another reason than its status
        known = UNKNOWN
    taken = TAKEN.search(error)  # errors of old versions do not say so
    return Explanation(known.happened, known.advice, status, taken=taken[1] if taken else "200")


def status_or_code(error: str) -> str:
    """The status, else the code of the error, which are the same in all languages; or nothing."""
    status = STATUS.match(error)
    return status[1] if status else outcomes.code_of(error)
