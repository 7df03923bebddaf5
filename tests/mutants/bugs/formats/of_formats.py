"""Bugs of formats: of templates, of what is cut, and of the process that renders."""

from hookbundle.tests.mutants.mutant import Mutant

PARSING = "tests/engine/formats/test_parsing.py"
RENDERING = "tests/engine/formats/test_rendering.py"
FILLING = "tests/engine/formats/test_filters.py"
CUTTING = "tests/engine/formats/test_cutting.py"
GOLDENS = "tests/engine/formats/test_goldens.py"
RENDERER = "tests/actors/rendering/test_renderer.py"
SHARES = "tests/actors/rendering/test_shares.py"
WAYS = "tests/actors/rendering/test_ways.py"
PACES = "tests/actors/rendering/test_paces.py"
RESTING = "tests/actors/rendering/test_resting.py"

FORMATS = (
    Mutant(
        name="fm1",
        bug="tags of Liquid are sent as text",
        path="engine/formats/expressions.py",
        edits=(("        if TAG in text:\n", '        if TAG in text and text == "":\n'),),
        caught_by=(f"{PARSING}::test_a_fault_has_a_pointer_to_where_it_is",),
    ),
    Mutant(
        name="fm2",
        bug="a name in a text turns what follows it",
        path="engine/formats/rendering.py",
        edits=(("made.append(directions.closed(value))", "made.append(value)"),),
        caught_by=(f"{RENDERING}::test_a_name_can_not_turn_the_text_after_it",),
    ),
    Mutant(
        name="fm3",
        bug="what is written into a template costs nothing, however often it is repeated",
        path="engine/formats/rendering.py",
        edits=(("len(value) if isinstance(value, str) else 1", "1"),),
        caught_by=(
            f"{RENDERING}::test_what_is_written_into_a_template_counts_as_often_as_it_is_repeated",
        ),
    ),
    Mutant(
        name="fm4",
        bug="an emoji is cut apart",
        path="engine/formats/cutting.py",
        edits=(("        if not _joins(text, place):\n", "        if place == at:\n"),),
        caught_by=(f"{CUTTING}::test_what_is_one_character_to_people_is_not_cut_apart",),
    ),
    Mutant(
        name="fm5",
        bug="the aggregation keeps the texts that were cut",
        path="engine/formats/context.py",
        edits=(
            (
                'values = {**self.values, "messages": messages, "aggregation": aggregation}',
                'values = {**self.values, "messages": messages}',
            ),
        ),
        caught_by=(f"{CUTTING}::test_html_stays_whole",),
    ),
    Mutant(
        name="fm6",
        bug="a preset that skips chats without a record sends them",
        path="engine/formats/rendering.py",
        edits=(
            ("if form.skips_without_record and not", "if not form.skips_without_record and not"),
        ),
        caught_by=(f"{RENDERING}::test_a_preset_may_skip_chats_without_a_record",),
    ),
    Mutant(
        name="fm7",
        bug="in Slack, a message may notify a whole channel",
        path="engine/formats/filters.py",
        edits=(("return DIALECTS[dialect](found) if dialect else found", "return found"),),
        caught_by=(f"{GOLDENS}::test_a_preset_makes_these_bytes",),
    ),
    Mutant(
        name="fm8",
        bug="control characters stay in a text",
        path="engine/formats/lines.py",
        edits=(('CONTROLS.sub("", LINE_ENDS.sub("\\n", text))', 'LINE_ENDS.sub("\\n", text)'),),
        caught_by=(
            f"{FILLING}::test_text_and_html_take_out_what_can_not_be_seen_and_close_what_turns",
        ),
    ),
    Mutant(
        name="fm9",
        bug="a body may take as much of the processor's time as it wants",
        path="actors/rendering/process.py",
        edits=(("signal.setitimer(signal.ITIMER_PROF, processor_s)", "assert processor_s"),),
        caught_by=(
            f"{RENDERER}::test_a_body_that_takes_too_long_ends_a_copy_in_each_process_and_no_other_body",
        ),
    ),
    Mutant(
        name="fm10",
        bug="a body may take as much memory as it wants",
        path="actors/rendering/process.py",
        edits=(("        (resource.RLIMIT_AS, memory_bytes_max),\n", ""),),
        caught_by=(
            f"{RENDERER}::test_a_body_that_takes_too_much_memory_ends_a_copy_and_no_other_body",
        ),
    ),
    Mutant(
        name="fm11",
        bug="the process that renders has the daemon's environment",
        path="actors/rendering/child.py",
        edits=(("                env={},\n", ""),),
        caught_by=(f"{RENDERER}::test_the_process_has_two_pipes_and_nothing_else_of_the_daemon",),
    ),
    Mutant(
        name="fm12",
        bug="a body whose process was killed by something else can't be rendered",
        path="actors/rendering/line.py",
        edits=(
            (
                "            if answer is Ended.UNKNOWN:\n"
                "                answer = await self._asked(work.job)\n",
                "",
            ),
        ),
        caught_by=(f"{RENDERER}::test_a_body_whose_process_was_killed_is_rendered_once_more",),
    ),
    Mutant(
        name="fm13",
        bug="three bodies past a limit make a webhook rest, however many were well between them",
        path="actors/rendering/resting.py",
        edits=(
            (
                "    def was_well(self, owner: Owner) -> None:\n"
                "        self._in_a_row.pop(owner, None)\n",
                "    def was_well(self, owner: Owner) -> None:\n        assert owner is not None\n",
            ),
        ),
        caught_by=(f"{RESTING}::test_one_that_was_well_between_them_makes_it_begin_anew",),
    ),
    Mutant(
        name="fm14",
        bug="what is light is tried with all that is new",
        path="actors/rendering/renderer.py",
        edits=(("if line is self.quick and not line.is_ready:", "if line is self.quick:"),),
        caught_by=(f"{WAYS}::test_what_is_hostile_slow_or_new_makes_nothing_wait_that_is_light",),
    ),
    Mutant(
        name="fm16",
        bug="who sends what can't be rendered, but costs little, is light as a healthy format",
        path="actors/rendering/paces.py",
        edits=(("is_light = well and ", "is_light = "),),
        caught_by=(f"{PACES}::test_one_body_that_is_heavier_or_was_not_rendered_ends_that",),
    ),
    Mutant(
        name="fm17",
        bug="a webhook that was slow is tried again with each body",
        path="actors/rendering/paces.py",
        edits=(("        _remember(self._known, owner, (Pace.SLOW, form))\n", ""),),
        caught_by=(
            f"{PACES}::test_after_a_slow_body_it_takes_two_to_be_light",
            f"{WAYS}::test_a_slow_body_is_rendered_and_costs_its_webhook_nothing",
        ),
    ),
    Mutant(
        name="fm18",
        bug="a body that takes more than a try is past a limit",
        path="actors/rendering/renderer.py",
        edits=(("if answer is not Ended.TIME:", "if answer is not None:"),),
        caught_by=(f"{WAYS}::test_a_slow_body_is_rendered_and_costs_its_webhook_nothing",),
    ),
    Mutant(
        name="fm19",
        bug="who sends light and heavy bodies in turn makes those who are light wait each time",
        path="actors/rendering/paces.py",
        edits=(("if self.of(owner, form, now_ms) is Pace.LIGHT:", "if now_ms < 0:"),),
        caught_by=(
            f"{PACES}::test_a_light_one_that_was_slow_takes_its_workspace_from_the_light_ones_for_a_minute",
        ),
    ),
    Mutant(
        name="fm20",
        bug="a body waits for the start of the quick process",
        path="actors/rendering/renderer.py",
        edits=(("            line = self.trial  # so", "            line = self.quick  # so"),),
        caught_by=(f"{WAYS}::test_nobody_waits_for_the_start_of_the_quick_process",),
    ),
    Mutant(
        name="fm30",
        bug="who was light with one format is light with the next one, too",
        path="actors/rendering/paces.py",
        edits=(("        if seen_with != form:\n            return Pace.UNKNOWN\n", ""),),
        caught_by=(
            f"{PACES}::test_what_is_known_of_a_format_says_nothing_of_the_next_one",
            f"{WAYS}::test_another_format_is_tried_with_what_is_new",
        ),
    ),
    Mutant(
        name="fm31",
        bug="who tries formats out makes light deliveries wait",
        path="actors/rendering/renderer.py",
        edits=(("if line is self.quick and not owner.webhook:", "if False:"),),
        caught_by=(
            f"{WAYS}::test_neither_a_preview_nor_a_template_that_is_read_makes_a_light_body_wait",
        ),
    ),
    Mutant(
        name="fm32",
        bug="a template is read behind the bodies that are tried",
        path="actors/rendering/renderer.py",
        edits=(("        self.reading.add(work)\n", "        self.trial.add(work)\n"),),
        caught_by=(f"{WAYS}::test_who_sets_a_format_waits_for_no_body",),
    ),
    Mutant(
        name="fm21",
        bug="a body past a limit costs the next one the start of a process",
        path="actors/rendering/process.py",
        edits=(("        if ended not in ENDS:", "        if ended != 1:"),),
        caught_by=(
            f"{RENDERER}::test_a_body_that_takes_too_long_ends_a_copy_in_each_process_and_no_other_body",
        ),
    ),
    Mutant(
        name="fm22",
        bug="a machine that has no room for a copy makes its bodies past a limit",
        path="actors/rendering/process.py",
        edits=(
            ("        copy = os.fork()\n", "        _write(told)\n        copy = os.fork()\n"),
            ("        _write(told)  # not before", "        # not before"),
        ),
        caught_by=(f"{WAYS}::test_a_process_that_gets_no_copy_is_not_started",),
    ),
    Mutant(
        name="fm23",
        bug="a workspace with slow bodies has as many turns as it has webhooks",
        path="actors/rendering/line.py",
        edits=(("self._turns.add(work.owner.workspace,", "self._turns.add(work.owner.webhook,"),),
        caught_by=(f"{SHARES}::test_a_workspace_with_many_webhooks_lets_the_others_in",),
    ),
    Mutant(
        name="fm15",
        bug="a machine that starts no process is asked again by each body",
        path="actors/rendering/line.py",
        edits=((" = self._clock.now_ms() + MACHINE_REST_MS", " = self._clock.now_ms()"),),
        caught_by=(
            f"{SHARES}::test_a_machine_that_starts_no_process_makes_all_wait_and_counts_for_nobody",
        ),
    ),
)
