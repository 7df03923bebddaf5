"""A message event of which every field is known: all others are refused.

They are decoded first. Only if that fails is a message decoded in the way that ignores fields that
are not known: so nobody pays for the question whether there are any.
"""

from hookbundle.engine.messages.message import Account, ChatIn, Event, MessageIn, Party


class StrictParty(Party, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class StrictAccount(Account, frozen=True, gc=False, forbid_unknown_fields=True):
    pass


class StrictChat(ChatIn, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    pass


class StrictMessage(MessageIn, frozen=True, gc=False, forbid_unknown_fields=True):
    sender: StrictParty = StrictParty()
    recipient: StrictParty = StrictParty()


class StrictEvent(Event, frozen=True, gc=False, forbid_unknown_fields=True):
    whatsapp_account: StrictAccount
    chat: StrictChat
    message: StrictMessage
