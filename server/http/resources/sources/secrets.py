"""The token of a source, which is in the address that the other system posts to."""

import base64
from hashlib import blake2b

PREFIX = "src_"  # by which a scanner for leaked secrets knows one
RANDOM_BYTES = 32
WORKSPACE_BYTES = 8  # of the digest of its id, by which the node that has it is found


def new_token(workspace_id: str, random_bytes: bytes) -> str:
    """Its beginning says which workspace it is of, and nothing more."""
    of_workspace = blake2b(workspace_id.encode(), digest_size=WORKSPACE_BYTES).hexdigest()
    secret = base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")
    return f"{PREFIX}{of_workspace}_{secret}"
