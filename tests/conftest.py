"""What holds for all tests: logs are plain lines, which pytest shows of tests that fail."""

import signal

import structlog

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
)

# Who starts us in the background may have SIGINT ignored, and every program we start would have so
# too; but some are interrupted as a person would do it.
signal.signal(signal.SIGINT, signal.default_int_handler)
