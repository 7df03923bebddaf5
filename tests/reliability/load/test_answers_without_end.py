"""The client does not read more of an answer than it keeps."""

from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, Response
from hookbundle.tests.receivers import Wire, receiving

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 67108864\r\n\r\n"
PIECE = bytes(1 << 16)
PIECES = (1 << 26) // len(PIECE)


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    sent: list[int] = []

    async def talks_long(wire: Wire) -> None:
        await wire.request()
        await wire.send(HEAD)
        for _ in range(PIECES):
            await wire.send(PIECE)
            sent.append(len(PIECE))

    client = GuardedClient(AddressPolicy.parse(["127.0.0.0/8"]), AttemptLimits(), "test")
    await client.open()
    async with receiving(talks_long) as receiver:
        reply = await client.post(receiver.url, b"{}", {})
        await client.close()

    assert isinstance(reply, Response)
    assert (reply.status, reply.truncated) == (200, True)
    assert len(sent) < PIECES
