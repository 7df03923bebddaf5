"""The lane: plain requests with messages are taken and answered beneath aiohttp's application."""
