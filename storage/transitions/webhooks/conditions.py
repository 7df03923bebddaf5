"""The condition of a request about a webhook: on its own version, or on that of its workspace."""

from hookbundle.engine.preconditions import Precondition, check
from hookbundle.storage.database.settings import Webhook, Workspace


def check_either(
    wanted: Precondition | None, workspace: Workspace, webhook: Webhook, *, of_webhook: bool
) -> None:
    """Raises: Changed if the webhook (`of_webhook`), or else the workspace, is not what a caller
    expects.

    Paths that name a webhook answer with its tag; `/outbound` has none but the workspace's.
    """
    if of_webhook:
        check(wanted, webhook.version, workspace.id, webhook.id)
    else:
        check(wanted, workspace.version, workspace.id)
