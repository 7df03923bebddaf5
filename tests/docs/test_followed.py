"""Pages whose commands are run as they stand, by a newcomer with an empty HOME."""

import shutil
import warnings

import pytest

from hookbundle.engine.sources.kinds import KINDS
from hookbundle.tests.docs.following import follow
from hookbundle.tests.docs.pages import DOCS, NOT_RUN, blocks

NODE = "guides/receive-node.md"
FOLLOWED = [
    *("quickstart.md", "guides/receive-python.md", NODE),
    *("guides/broken-receiver.md", "guides/backups.md"),
]
ELSEWHERE = [  # by tests of their own
    *("guides/another-machine.md", "guides/proxies.md", "guides/systemd.md"),
    *("guides/hubspot.md", "guides/pipedrive.md", "guides/salesforce.md", "guides/slack.md"),
]


@pytest.mark.filterwarnings("default:there is no node")
@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_does_what_it_says(page: str) -> None:
    if page == NODE and shutil.which("node") is None:
        warnings.warn(f"there is no node here: docs/{page} is not followed", stacklevel=1)
        pytest.skip("no node here")

    follow(page)


def test_the_pages_of_sources_lead_to_a_message_that_has_arrived() -> None:
    """One after the other with one daemon, which is what `sources.md` begins with."""
    follow("sources.md", *(f"sources/{kind}.md" for kind in KINDS))


def test_a_guide_that_is_not_followed_says_so() -> None:
    guides = {path.relative_to(DOCS).as_posix() for path in (DOCS / "guides").glob("*.md")}

    silent = [
        guide
        for guide in sorted(guides - {*FOLLOWED, *ELSEWHERE})
        if f"**{NOT_RUN}.**" not in (DOCS / guide).read_text(encoding="utf-8")
    ]

    assert {*FOLLOWED, *ELSEWHERE} <= {*guides, "quickstart.md"}
    assert silent == []


def test_a_program_of_a_guide_is_the_file_beside_it() -> None:
    shown = {
        block.file: block.text
        for guide in (DOCS / "guides").glob("*.md")
        for block in blocks(guide)
        if block.file and (DOCS / "guides" / block.file).exists()
    }

    assert shown == {
        name: (DOCS / "guides" / name).read_text(encoding="utf-8")
        for name in ("receiver.py", "receiver.mjs")
    }
