"""The words of what became of a message."""

from hookbundle.engine.messages.became import (
    ADVICE,
    GAPS_OF_TIME,
    SENTENCES,
    Became,
    BecameCode,
    sentence,
    values_of,
    what_of,
)


def test_every_answer_has_one_sentence_and_all_that_it_tells() -> None:
    assert set(SENTENCES) == set(BecameCode)
    assert set(ADVICE) < set(BecameCode)
    for each in BecameCode:
        told = sentence(Became(code=each, by="ann", reason="why", error="e"), str)
        assert "{" not in told
        assert what_of(each) == each.value.partition(".")[0]
    gaps = set(values_of(Became(code=BecameCode.QUEUED), str))
    assert gaps >= {*GAPS_OF_TIME, "status", "error", "by", "reason"}
