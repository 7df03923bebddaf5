"""hookbundle: the outbound-webhook engine of a shared WhatsApp inbox."""

__version__ = "0.1.0"
