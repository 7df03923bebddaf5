"""Twilio's WhatsApp channel: a form for each received message, and one for each status.

There is no time in it, so the arrival counts. What is sent comes back as a status without its text.
Users may hide their number; then `From` has an id in its place, as `ExternalUserId` has beside it
(Twilio's guide of webhook requests).
"""

from hookbundle.engine.sources import addresses, contents, reading
from hookbundle.engine.sources.contents import ATTACHMENT, Content
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings

CHANNEL = "whatsapp:"

Form = dict[str, str]


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    form = dict(request.form)
    maker.named(form.get("MessageType", ""))
    if "From" not in form:
        maker.ignore(Reason.UNKNOWN_SHAPE)
    elif "MessageStatus" in form or not ("Body" in form or "NumMedia" in form):
        maker.ignore(Reason.ACK)  # a message has its text, even an empty one
    elif not form["From"].startswith(CHANNEL):
        maker.ignore(Reason.NOT_WHATSAPP)
    else:
        maker.one(form, lambda value: _message(maker, value))
    return maker.done()


def _message(maker: Maker, form: Form) -> Outcome:
    sender = form["From"]
    user = form.get("ExternalUserId", "") if addresses.digits_of(sender) else sender
    chat = addresses.of_user(sender, user, maker.notes, path="From")
    name = reading.name(form, "ProfileName")
    ours = form.get("To", "")
    return maker.message(
        Said(
            chat=chat,
            message_id=reading.first_of(form.get("MessageSid", ""), form.get("SmsMessageSid", "")),
            content=_content(form),
            is_sent=False,
            sent_ms=None,
            account=maker.account(addresses.phone_of(ours), ours),
            chat_name=name,
        )
    )


def _content(form: Form) -> Content:
    if form.get("NumMedia", "0") not in ("", "0") or "MediaUrl0" in form:
        return ATTACHMENT
    return contents.text_or_skip(form.get("Body", "") or form.get("ButtonText", ""))
