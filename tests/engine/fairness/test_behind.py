"""What comes for a key while a piece of it is not finished waits behind it, in its order."""

from hookbundle.engine.fairness.behind import Behind


class Queue:
    """Pieces are names; each has as many turns to come as `turns` says, one if it says nothing."""

    def __init__(self, **turns: int) -> None:
        self.turns = turns
        self.waiting: list[str] = []
        self.behind: Behind[str, str] = Behind(self.waiting.append)
        self.finished: list[str] = []

    def take_turns(self, *pieces: str) -> None:
        """Each has its turn; the key of a piece is its first letter."""
        for piece in pieces:
            key = piece[0]
            if self.behind.must_wait(key, piece):
                self.behind.took_turn(key, piece, piece)
                continue
            self.turns[piece] = self.turns.get(piece, 1) - 1
            if self.turns[piece]:
                self.behind.took_turn(key, piece, piece)
            else:
                self.finished.append(piece)
                self.behind.took_turn(key, piece, None)

    def take_all(self) -> None:
        while self.waiting:
            self.take_turns(self.waiting.pop(0))


def test_what_comes_for_the_key_meanwhile_is_done_after_it_in_its_order() -> None:
    queue = Queue(a1=3)
    queue.take_turns("a1", "a2", "b1", "a3")
    queue.take_turns(queue.waiting.pop(0), "a4")

    queue.take_all()

    assert queue.finished == ["b1", "a1", "a2", "a3", "a4"]
    assert not queue.behind.keys


def test_one_that_comes_when_the_piece_has_been_finished_is_not_before_those_that_waited() -> None:
    queue = Queue(a1=2)
    queue.take_turns("a1", "a2", "a3")
    queue.take_turns(queue.waiting.pop(0), "a4")

    queue.take_all()

    assert queue.finished == ["a1", "a2", "a3", "a4"]


def test_of_a_key_one_piece_alone_is_in_the_queue() -> None:
    queue = Queue(a1=2, a2=2)

    queue.take_turns("a1", "a2", "a3")

    assert queue.waiting == ["a1"]
    assert queue.behind.leave() == ["a2", "a3"]
    assert not queue.behind.keys
