"""Settings for all tests: logs are plain lines, which pytest shows for failed tests."""

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

# A shell starts background jobs with SIGINT ignored, and child processes inherit that. Some tests
# interrupt a program with SIGINT, so the default is restored here.
signal.signal(signal.SIGINT, signal.default_int_handler)
