"""A client of a log server that says what no client would."""

import asyncio

WITHIN_S = 30.0
GARBAGE = (
    b"NATS/1.0\r\n\r\n",
    b"NATS/1.0 404 x\r\n\r\n",
    b"NATS/1.0 \xff\xff\xff\r\n\r\n",
    b"NATS/1.0 503 \xff\r\n\r\n",
    b"NATS/1.0\r\nA\xff: \xfe\r\nwithout a colon\r\n\r\n",
)


async def publish_raw(port: int, subject: str, headers: bytes, body: bytes = b"") -> None:
    """The server has it, with headers as they are."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(WITHIN_S):
            await reader.readline()
            writer.write(b'CONNECT {"verbose":false,"headers":true}\r\n')
            size, whole = len(headers), len(headers) + len(body)
            writer.write(b"HPUB %s %d %d\r\n" % (subject.encode(), size, whole))
            writer.write(headers + body + b"\r\nPING\r\n")
            assert await reader.readline() == b"PONG\r\n"
    finally:
        writer.close()
        await writer.wait_closed()
