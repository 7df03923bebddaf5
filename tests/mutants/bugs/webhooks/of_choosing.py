"""Bugs of the form in which the rule of a webhook's windows is chosen, and of the words for it."""

from hookbundle.tests.mutants.mutant import Mutant

FORMS = "tests/server/console/pages/webhooks/test_rules.py"
WORDS = "tests/engine/windows/test_in_words.py"
FIELDS = "server/console/pages/window_rules/fields.py"
ENDS = "storage/reads/chats/changed_ends.py"
COUNTED = f"{FORMS}::test_the_question_counts_what_ends_now_and_what_ends_at_another_time"

CHOOSING = (
    Mutant(
        name="wc1",
        bug="the longest time of a quiet window is lost on saving",
        path=FIELDS,
        edits=(('        window |= {"max":', '        {"max":'),),
        caught_by=(f"{FORMS}::test_a_rule_is_chosen_tried_saved_and_read_back",),
    ),
    Mutant(
        name="wc2",
        bug="the days of a rule are lost on saving",
        path=FIELDS,
        edits=((' if days == EVERY_DAY else {"days": _written(days)}', ""),),
        caught_by=(f"{FORMS}::test_what_the_fields_show_makes_the_same_rule",),
    ),
    Mutant(
        name="wc3",
        bug="a rule that the form can't show is overwritten when another field is saved",
        path=FIELDS,
        edits=(("        return UNSET\n    raise", "        return NONE\n    raise"),),
        caught_by=(f"{FORMS}::test_a_rule_too_long_for_the_form_stays_until_another_is_written",),
    ),
    Mutant(
        name="wc4",
        bug="what is tried is saved",
        path="server/console/pages/webhook.py",
        edits=(('if form.get("do") == "try":', 'if form.get("do") == "trial":'),),
        caught_by=(f"{FORMS}::test_a_rule_is_chosen_tried_saved_and_read_back",),
    ),
    Mutant(
        name="wc5",
        bug="the sentence names the quiet time as the longest",
        path="engine/windows/in_words.py",
        edits=(("length(max_ms, words)", "length(quiet_ms, words)"),),
        caught_by=(f"{WORDS}::test_each_rule_is_a_sentence",),
    ),
    Mutant(
        name="wc6",
        bug="the question takes each window for one of `else`",
        path=ENDS,
        edits=(("self.setting.rule(self.setting.choose(subject))", "self.setting.otherwise"),),
        caught_by=(COUNTED,),
    ),
    Mutant(
        name="wc7",
        bug="the question takes a chat for quiet since its first message",
        path=ENDS,
        edits=(("min(collecting.arrived_ms, self.now_ms)", "opened_ms"),),
        caught_by=(COUNTED,),
    ),
)
