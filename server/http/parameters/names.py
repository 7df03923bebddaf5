"""Names that people give to what they see in lists: tokens, sources."""

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import directions


def name_of(text: str) -> str:
    """Raises: InvalidInput if it would break a list."""
    name = text.strip()
    if not directions.is_one_line(name):
        raise InvalidInput((fault("name", FaultCode.NOT_ONE_LINE),))
    return name
