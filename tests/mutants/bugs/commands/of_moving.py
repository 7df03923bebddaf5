"""Bugs of the way to another machine, and of what is watched there."""

from hookbundle.tests.mutants.mutant import Mutant

STOPPED = (
    "tests/daemon/test_maintenance_commands.py"
    "::test_a_stopped_daemon_is_backed_up_with_all_that_it_did"
)

MOVING = (
    Mutant(
        name="ob1",
        bug="a backup for moving is made of a daemon that still sends",
        path="storage/maintenance/backups.py",
        edits=(("opened_to_read(path, lock=True)", "opened_to_read(path)"),),
        caught_by=(STOPPED,),
    ),
    Mutant(
        name="ob2",
        bug="a backup is taken for a data directory",
        path="storage/maintenance/backups.py",
        edits=(("    files.check_marker(path, files.read_marker(path))\n", ""),),
        caught_by=(STOPPED,),
    ),
    Mutant(
        name="ob3",
        bug="the floor that is shown is not the one at which intake closes",
        path="server/daemon/partition.py",
        edits=(("self.floor_bytes = config.store.floor_bytes", "self.floor_bytes = 0"),),
        caught_by=(
            "tests/server/http/resources/test_metrics.py"
            "::test_commits_the_disk_and_the_loop_are_measured",
        ),
    ),
    Mutant(
        name="ob4",
        bug="a template that takes too much is called a body",
        path="actors/rendering/renderer.py",
        edits=(('        return "template", known\n', '        return "body", known\n'),),
        caught_by=(
            "tests/actors/rendering/test_endings.py"
            "::test_what_went_past_a_limit_is_named_as_what_it_is",
        ),
    ),
)
