"""Conditions on the version of what a request is about (RFC 9110, 13): decided where it is changed.

`If-Match` compares strongly: a weak tag matches nothing. A tag that is no
version, or one of another time, matches nothing either; it is no fault.
"""

from dataclasses import dataclass
from enum import Enum

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Changed


class Tags(Enum):
    """`*`: whatever version there is."""

    ANY = "*"


Versions = tuple[int, ...] | Tags


@dataclass(frozen=True, slots=True)
class Precondition:
    """`if_match`: one of these has to be there; `if_none_match`: none of these. None: not asked."""

    if_match: Versions | None = None
    if_none_match: Versions | None = None

    def holds(self, version: int | None) -> bool:
        """Whether it is met by what is there; None: nothing is."""
        is_met = self.if_match is None or matches(self.if_match, version)
        return is_met and not (
            self.if_none_match is not None and matches(self.if_none_match, version)
        )


def matches(versions: Versions, version: int | None) -> bool:
    """Whether the version is one of them; None: nothing is there, which is none."""
    return version is not None and (isinstance(versions, Tags) or version in versions)


def at_version(version: int | None) -> Precondition | None:
    """That it is at this version; no condition without one."""
    return None if version is None else Precondition(if_match=(version,))


def check(
    wanted: Precondition | None,
    version: int | None,
    workspace_id: str,
    webhook_id: str = "",
    source_id: str = "",
) -> None:
    """Raises: Changed if the workspace, or its webhook or source of this id, is not what a caller
    expects.

    `version`: None if there is none; there is one of each source.
    """
    if wanted is None or wanted.holds(version):
        return
    if source_id:
        assert version is not None, "who names a source has found it"
        raise Changed.of(
            Code.SOURCE_CHANGED, source=source_id, workspace=workspace_id, version=version
        )
    if webhook_id:
        if version is None:
            raise Changed.of(Code.WEBHOOK_DELETED, webhook=webhook_id, workspace=workspace_id)
        raise Changed.of(
            Code.WEBHOOK_CHANGED, webhook=webhook_id, workspace=workspace_id, version=version
        )
    if version is None:
        raise Changed.of(Code.DELETED_MEANWHILE, workspace=workspace_id)
    expected = wanted.if_match
    if isinstance(expected, tuple) and version not in expected:
        raise Changed.of(Code.CHANGED_MEANWHILE, workspace=workspace_id, version=version)
    raise Changed.of(Code.MADE_MEANWHILE, workspace=workspace_id, version=version)
