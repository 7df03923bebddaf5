"""With `accept.sent` off, what changes a sent message is left out as the message itself was."""

import json
from typing import Any

import pytest

from hookbundle.engine.sources.outcomes import Delete, Edit, Ignored, Reason
from hookbundle.tests.engine.sources.posting import body_of, outcome_of

SENT_OFF = {"accept": {"sent": False}}
CHATWOOT = "07-created-then-edited-then-deleted.seq"
PERISKOPE = "02-created-then-updated-then-deleted.seq"
ECHOES = "12-smb-echo-edit-and-delete.seq"


def turned(body: Any, *swaps: tuple[str, str]) -> Any:
    """The body with other texts in it."""
    text = json.dumps(body)
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new)
    return json.loads(text)


TO_SENT = (("false_", "true_"), ('"fromMe": false', '"fromMe": true'))
TO_RECEIVED = ("true_", "false_")
OUTGOING = ('"message_type": "incoming"', '"message_type": "outgoing"')
INCOMING = (OUTGOING[1], OUTGOING[0])
EDIT, DELETION = body_of("waha", "19-wpp-edited"), body_of("waha", "11-noweb-deleted")
GONE = body_of("evolution", "23-delete-key-only")
BY_API = body_of("evolution", "19-edited-numeric-type-through-the-api")
EDITED = body_of("evolution", "20-upsert-that-is-an-edit.seq", 1)
GROUP = ('"15550101234@s.whatsapp.net"', '"120363000000000001@g.us"')


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("chatwoot", body_of("chatwoot", CHATWOOT, 1)),
        ("chatwoot", body_of("chatwoot", CHATWOOT, 2)),
        ("waha", turned(EDIT, *TO_SENT)),
        ("waha", turned(DELETION, *TO_SENT)),
        ("meta", body_of("meta", ECHOES, 1)),
        ("meta", body_of("meta", ECHOES, 2)),
        ("periskope", body_of("periskope", PERISKOPE, 1)),
        ("periskope", body_of("periskope", PERISKOPE, 2)),
        ("evolution", turned(GONE, TO_SENT[1])),
        ("evolution", BY_API),
        ("evolution", turned(EDITED, TO_SENT[1])),
    ],
)
def test_a_change_of_a_sent_message_is_left_out(kind: str, body: Any) -> None:
    outcome = outcome_of(kind, body, SENT_OFF)

    assert isinstance(outcome_of(kind, body), Edit | Delete)
    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.SENT_OFF


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("chatwoot", turned(body_of("chatwoot", CHATWOOT, 1), INCOMING)),
        ("waha", EDIT),
        ("waha", DELETION),
        ("meta", body_of("meta", "13-edit-by-the-user")),
        ("periskope", turned(body_of("periskope", PERISKOPE, 1), TO_RECEIVED)),
        ("periskope", turned(body_of("periskope", PERISKOPE, 2), TO_RECEIVED)),
        ("evolution", GONE),
        ("evolution", EDITED),
    ],
)
def test_a_change_of_a_received_message_is_taken(kind: str, body: Any) -> None:
    assert isinstance(outcome_of(kind, body, SENT_OFF), Edit | Delete)


def test_a_change_in_a_group_that_does_not_say_whose_message_it_is_is_taken() -> None:
    """Evolution writes a key as its author sees it, and admins delete messages of others."""
    edit = turned(BY_API, GROUP)
    own_view = turned(GONE, TO_SENT[1], GROUP)
    by_admin = turned(DELETION, *TO_SENT, ("_15550101234@c.us", "_120363000000000001@g.us"))

    found = [
        outcome_of("evolution", edit, SENT_OFF),
        outcome_of("evolution", own_view, SENT_OFF),
        outcome_of("waha", by_admin, SENT_OFF),
    ]

    assert [type(each) for each in found] == [Edit, Delete, Delete]


@pytest.mark.parametrize(("whose", "kept"), [("true", Ignored), ("false", Delete)])
def test_what_was_before_a_deletion_says_whose_message_it_was(whose: str, kept: type) -> None:
    body = turned(DELETION, *TO_SENT, ("_15550101234@c.us", "_120363000000000001@g.us"))
    body["payload"]["before"] = {"id": f"{whose}_120363000000000001@g.us_3EB0EEEE0000000000000020"}

    assert isinstance(outcome_of("waha", body, SENT_OFF), kept)


def test_an_admins_deletion_that_comes_as_a_message_is_taken() -> None:
    body = turned(EDITED, ('"MESSAGE_EDIT"', '"REVOKE"'))
    body["data"]["key"]["fromMe"] = True

    assert isinstance(outcome_of("evolution", body, SENT_OFF), Delete)
