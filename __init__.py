"""hookbundle: the outbound-webhook engine of a shared WhatsApp inbox."""

__version__ = "0.2.0.dev0"
