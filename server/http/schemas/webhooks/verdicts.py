"""What came of checking a request's signature."""

import msgspec

from hookbundle.engine.delivery.signing import (
    Authentic,
    OutsideTolerance,
    Verdict,
    VerdictCode,
    code_of,
    in_words,
)


class VerdictOut(msgspec.Struct, frozen=True):
    """`detail`: the verdict as a sentence. `age_s`: of the signature; null if none is valid."""

    authentic: bool
    code: VerdictCode
    detail: str
    age_s: int | None


def verdict_out(verdict: Verdict) -> VerdictOut:
    return VerdictOut(
        isinstance(verdict, Authentic),
        code_of(verdict),
        in_words(verdict),
        verdict.age_s if isinstance(verdict, Authentic | OutsideTolerance) else None,
    )
