"""A body to be rendered, and what can come of it: the types that others build on.

The seam, for those who set formats, store them, and send what was rendered:

    parsing.outline(value, options) -> Outline
        `value`: the decoded JSON of the setting, the name of a preset or `{"template": ...}`; None
        and "seed" give the seed's own body (`Format.is_seed`), which is never rendered. `options`:
        the decoded JSON object of the variables. What is stored is `Format.format` and
        `Format.options`, both bytes; of the seed both are empty. `Outline.template` is still to be
        read, by `documents.read_as_asked(reading)`, as it may have faults.

    rendering.rendered(job) -> Rendered | NoRecord | Unrenderable
        One function of the job: no clock, no chance, no I/O. The same job gives the same bytes.

Both of the last need time and memory as the template wants, and python-liquid, whose import takes
half a second. So the daemon calls neither: it asks `actors/rendering/renderer.py:Renderer`, which
calls them in a process of its own.

What a `Job` needs of the storage: the two stored settings, the sealed body of the seed, and what
stands beside a delivery. A job without a format (b"") is a fault of the caller.
"""

from enum import StrEnum

import msgspec

from hookbundle.engine.errors import Fault


class BundleFacts(msgspec.Struct, frozen=True, array_like=True):
    """What is known of the delivery beside its body.

    `sequence` rises within the webhook, with gaps. `previous_id`: of the delivery before it, empty
    for the first. `part`: of the bundles that were sealed for size from one window, from 1 on.
    `reason`: why it was sealed. `is_bundle`: its body has the seed's shape with `messages`, else
    the one with a `message`.
    """

    id: str
    sequence: int = 0
    previous_id: str = ""
    part: int = 1
    reason: str = ""
    is_bundle: bool = True


class Job(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="job"):
    """A body to be rendered.

    `format`, `options`: as `Format` has them for storing. `body`: the seed's, as it was sealed.
    `extra`: the JSON of a `ChatExtra`, or empty. `zone`: the name of the workspace's time zone.
    `bytes_max`: of the finished body, 0 for the most there is; texts are cut to fit. `product_name`
    and `permalink` only matter for a single message, whose body has no `aggregation` to take the
    link from; without a permalink the link is that of the chat.
    """

    format: bytes
    body: bytes
    bundle: BundleFacts
    options: bytes = b""
    extra: bytes = b""
    zone: str = "UTC"
    bytes_max: int = 0
    product_name: str = ""
    permalink: str = ""


class Reading(msgspec.Struct, frozen=True, array_like=True, tag="reading"):
    """A template to be read, before a webhook has it. `template`: JSON. `place`: its path, with
    which the paths of faults begin. `names`: of the variables that it may name."""

    template: bytes
    place: str
    names: tuple[str, ...]


class Why(StrEnum):
    """Why a body could not be rendered: stable codes, which other languages word."""

    # The format itself: it was checked when it was set, so an older or newer release did that.
    FORMAT = "format_not_read"
    # A value that a filter can't take, as one that is no time for `date`.
    VALUE = "value_not_taken"
    # The finished body is too large, though all texts were cut.
    SIZE = "too_large"
    # More repeats, or longer texts, than any body needs.
    WORK = "too_much_work"
    # Past a limit of the process that renders: these three are counted, see `is_past_limit`.
    MEMORY = "too_much_memory"
    TIME = "too_much_time"
    ENDED = "process_ended"
    # A fault of this program; its log has more.
    FAILED = "rendering_failed"


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """The finished body: JSON, UTF-8. `cut`: how many texts were cut to make it fit."""

    body: bytes
    cut: int = 0


class Read(msgspec.Struct, frozen=True, tag="read"):
    """What is wrong with a template; nothing, if it can be set."""

    faults: tuple[Fault, ...]


class NoRecord(msgspec.Struct, frozen=True, tag="no_record"):
    """The chat has neither phone nor record id, and the preset's `no_record` says `skip`."""


class Unrenderable(msgspec.Struct, frozen=True, tag="unrenderable"):
    """Nothing can be sent. `pointer`: the JSON pointer into the template, empty for all of it.

    `why`: a sentence in English that follows the pointer; it has nothing of the messages.
    """

    pointer: str
    code: Why
    why: str

    @property
    def is_past_limit(self) -> bool:
        """Whether it took more of the process than a body may."""
        return self.code in PAST_LIMIT


PAST_LIMIT = frozenset({Why.MEMORY, Why.TIME, Why.ENDED})

Outcome = Rendered | NoRecord | Unrenderable
