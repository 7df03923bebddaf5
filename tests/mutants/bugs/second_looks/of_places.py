"""Bugs of copies that take the place of others."""

from hookbundle.tests.mutants.mutant import Mutant

STORAGE = "tests/storage"

AT_PLACES = (
    Mutant(
        name="cv52",
        bug="a node that was killed while a recovered copy took its place never opens it",
        path="storage/database/replication/base.py",
        edits=(
            (
                "            (self._path / MARKER).unlink(missing_ok=True)\n",
                "",
            ),
        ),
        caught_by=(
            f"{STORAGE}/database/replication/test_taking_places.py::test_whatever_ends_the_process_one_of_the_two_copies_is_there",
        ),
    ),
    Mutant(
        name="cv53",
        bug="a copy takes the place of another before it is on disk",
        path="storage/database/replication/base.py",
        edits=(
            (
                "            files.sync(self._staging / DATA)\n",
                "",
            ),
        ),
        caught_by=(
            f"{STORAGE}/database/replication/test_taking_places.py::test_a_new_copy_is_on_disk_before_it_takes_the_place_of_another",
        ),
    ),
    Mutant(
        name="cv54",
        bug="nothing says that there is a copy, if its data file is emptied",
        path="storage/database/replication/base.py",
        edits=(
            (
                "            files.write_marker(self._path, Marker(found.epoch, found.schema))\n",
                "",
            ),
        ),
        caught_by=(
            f"{STORAGE}/database/replication/test_taking_places.py::test_a_new_copy_is_on_disk_before_it_takes_the_place_of_another",
        ),
    ),
    Mutant(
        name="cv55",
        bug="a base without an identity ends the role that reads it",
        path="storage/database/replication/base.py",
        edits=(
            (
                "        if found is None:\n"
                '            raise CorruptRecord("the base of the log has no identity")\n',
                "        assert found is not None\n",
            ),
        ),
        caught_by=(
            f"{STORAGE}/database/replication/test_taking_places.py::test_a_base_without_an_identity_is_no_copy_and_the_one_before_stays",
        ),
    ),
)
