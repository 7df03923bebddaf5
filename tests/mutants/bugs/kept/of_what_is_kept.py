"""Bugs in what is kept decoded: from one commit to the next, and from one request to the next."""

from hookbundle.tests.mutants.mutant import Mutant

STORE = "tests/storage/database/keeping/test_kept.py"
LIFE = (
    "tests/storage/database/heads/test_heads_in_a_life.py"
    "::test_a_life_with_heads_leaves_the_same_database_as_one_without"
)
DETAILS = "tests/engine/messages/known/test_details.py"

KEPT = (
    Mutant(
        name="stk1",
        bug="what a failed commit had changed is kept for the next one",
        path="actors/store.py",
        edits=(("kept, state.kept = state.kept, Kept()", "kept = state.kept"),),
        caught_by=(f"{STORE}::test_what_a_failed_commit_had_changed_is_not_kept_for_the_next_one",),
    ),
    Mutant(
        name="stk2",
        bug="what is kept has no bound",
        path="storage/database/keeping/kept.py",
        edits=((", len(self.usages)) <= KEPT_MAX", ", len(self.usages)) >= 0"),),
        caught_by=(f"{STORE}::test_where_more_is_in_use_than_may_be_kept_nothing_is",),
    ),
    Mutant(
        name="stk3",
        bug="what is kept of a deleted workspace stays",
        path="storage/database/unit.py",
        edits=(("        self._kept.forget(settings)\n", ""),),
        caught_by=(LIFE,),
    ),
    Mutant(
        name="stk4",
        bug="a workspace with many chats makes the others forget theirs",
        path="engine/messages/known/details.py",
        edits=(("giving = owner if has_more else next", "giving = next"),),
        caught_by=(f"{DETAILS}::test_a_workspace_with_many_chats_makes_only_itself_forget",),
    ),
    Mutant(
        name="stk5",
        bug="known details take as much memory as there are",
        path="engine/messages/known/details.py",
        edits=(("        while self.bytes > self._bytes_max:\n", "        while False:\n"),),
        caught_by=(f"{DETAILS}::test_what_is_known_takes_no_more_than_it_may",),
    ),
    Mutant(
        name="stk6",
        bug="what is known as an account is taken for a chat",
        path="engine/messages/known/details.py",
        edits=(
            (
                "chat = known.chats.get(raw) or self._learn_chat(known, raw)",
                "chat = known.chats.get(raw) or ("
                'ChatDetails("", False, known.accounts[raw], b"")\n'
                "                if raw in known.accounts else self._learn_chat(known, raw))",
            ),
        ),
        caught_by=(f"{DETAILS}::test_what_is_no_account_is_no_chat_because_it_is_known_as_one",),
    ),
)
