"""What the daemon and the process that renders say to each other: frames over two pipes.

A frame is a length of four bytes, big-endian, and so many bytes of msgpack. The process says
`READY` when it has imported all it needs; then each `Job` or `Reading` is answered by one `Answer`,
or by the limit that it went past.
"""

from enum import StrEnum

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.formats.jobs import Job, Outcome, Read, Reading

LENGTH_BYTES = 4
READY = b"ready"
# A finished body, and what is said beside it.
ANSWER_BYTES_MAX = limits.BUNDLE_BODY_BYTES_MAX + 64 * 1024


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """`processor_us`: how much of the processor's time the job took. `error`: the class of an error
    that is a fault of this program, else empty."""

    outcome: Outcome | Read
    processor_us: int
    error: str = ""


class Ended(StrEnum):
    """Why a process ended that had a job."""

    TIME = "it took more of the processor's time than a body may"
    MEMORY = "it took more memory than a body may"
    UNKNOWN = "it was ended by something else, or hung"


_encoder = msgspec.msgpack.Encoder()
_jobs: msgspec.msgpack.Decoder[Job | Reading] = msgspec.msgpack.Decoder(Job | Reading)
_answers: msgspec.msgpack.Decoder[Answer | Ended] = msgspec.msgpack.Decoder(Answer | Ended)


def framed(content: bytes) -> bytes:
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def of_job(job: Job | Reading) -> bytes:
    return framed(_encoder.encode(job))


def of_answer(answer: Answer | Ended) -> bytes:
    return framed(_encoder.encode(answer))


def job_of(content: bytes) -> Job | Reading:
    return _jobs.decode(content)


def answer_of(content: bytes) -> Answer | Ended:
    """Raises: msgspec.DecodeError."""
    return _answers.decode(content)
