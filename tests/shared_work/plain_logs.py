"""The log of tests: plain lines.

The other form draws a frame around each traceback, with what every variable was: seconds of the
processor for a fault that a test has planted.
"""

import structlog


def begin() -> None:
    """Also after a test has had another log."""
    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
