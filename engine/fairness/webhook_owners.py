"""Whose a webhook is: a workspace with twenty webhooks has one share of what all use, not twenty.

Webhooks and workspaces have numbers from one counter, so a number of a webhook means no workspace.
A webhook that has its workspace's number, as the first `outbound` has, need not be known here.
"""

OWNER_BYTES = 4  # of a number as it stands in keys


class WebhookOwners:
    """The workspaces of the webhooks that were seen so far; those not seen own themselves.

    One thread learns, any thread asks. What was learnt stays true: no number is used twice.
    """

    def __init__(self) -> None:
        self.numbers: dict[int | str, int] = {}  # workspaces are asked for by their ids, too
        self.keys: dict[bytes, bytes] = {}
        """The same, as numbers stand in keys."""
        self.webhooks: dict[int | str, int] = {}
        """How many webhooks a workspace has, if it has more than one."""

    def learn(self, webhook: int, workspace: int) -> None:
        if webhook != workspace and webhook not in self.numbers:
            self.numbers[webhook] = workspace
            self.keys[_key(webhook)] = _key(workspace)

    def count(self, workspace: int, webhooks: int) -> None:
        if webhooks > 1:
            self.webhooks[workspace] = webhooks
        else:
            self.webhooks.pop(workspace, None)

    def forget(self, webhook: int) -> None:
        """Nothing of the webhook is left."""
        self.numbers.pop(webhook, None)
        self.keys.pop(_key(webhook), None)


def _key(number: int) -> bytes:
    return number.to_bytes(OWNER_BYTES, "big")
