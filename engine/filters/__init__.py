"""The filter of a webhook: what may be written, what it means, and which messages it keeps."""
