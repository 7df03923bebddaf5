"""What the codes of errors mean that are about what is stored, or is not: one row for each.

It is absent (404) or gone (410), in a state that does not allow what is asked (409), or not as the
caller knows it (412, 428).
"""

from hookbundle.engine.error_codes import Code, Meaning

LATER, AGAIN = "try again later", "try again soon"

OF_RESOURCES: dict[Code, Meaning] = {
    Code.NO_WORKSPACE: Meaning(
        404, "there is no workspace {workspace}", "check its id, or create it"
    ),
    Code.WORKSPACE_DELETED: Meaning(
        404, "workspace number {number} was deleted", "nothing of it is left to be changed"
    ),
    Code.NO_WEBHOOK: Meaning(
        404, "webhook number {number} was deleted", "nothing of it is left to be changed"
    ),
    Code.UNKNOWN_WEBHOOK: Meaning(
        404, "workspace {workspace} has no webhook {webhook}", "check its id"
    ),
    Code.NO_OUTBOUND: Meaning(
        404,
        "workspace {workspace} has no webhook outbound any more",
        "name another webhook, or make `outbound` again",
    ),
    Code.NO_CHAT: Meaning(
        404, "there is no chat {chat}: no chat's id is longer than {most} bytes", "check the id"
    ),
    Code.NO_WINDOW: Meaning(
        404,
        "chat {chat} of {workspace} has no open window",
        "it was sent already, or nothing came for it",
    ),
    Code.NO_DELIVERY: Meaning(
        404,
        "there is no delivery {delivery}",
        "check its id; it may be of another workspace",
    ),
    Code.NO_REQUEST: Meaning(
        404, "request {number} is no longer in the detailed log", "see the newer ones"
    ),
    Code.NO_REPLAY: Meaning(
        404, "{workspace} has no replay {replay}", "see its replays; the last 20 are kept"
    ),
    Code.UNKNOWN_TOKEN: Meaning(
        404, "there is no token {token}", "see `hookbundle token list`; it may be revoked already"
    ),
    Code.UNKNOWN_SOURCE: Meaning(
        404, "workspace {workspace} has no source {source}", "check its id"
    ),
    Code.NO_SOURCE: Meaning(
        404,
        "no source has this address",
        "copy the address of the source again; it may have been deleted, or its token rotated",
    ),
    Code.NOT_WAITING: Meaning(
        409,
        "delivery {delivery} waits no longer",
        "it was delivered or discarded; see what became of it",
    ),
    Code.NO_WEBHOOK_URL: Meaning(409, "workspace {workspace} has no webhook URL", "set one first"),
    Code.SAMPLE_NOT_RENDERED: Meaning(
        409,
        "the format of webhook {webhook} made no body for a test request: {why}",
        "change the format, or try it on real bundles",
    ),
    Code.SMTP_NOT_SET: Meaning(
        409,
        "no mail server is set, so no e-mail is sent",
        "set smtp.host and what belongs to it; a reload takes it",
    ),
    Code.WEBHOOK_DISABLED: Meaning(
        409,
        "the webhook of workspace {workspace} is disabled, so nothing is sent",
        "enable it, and it goes on",
    ),
    Code.WORKSPACE_EXISTS: Meaning(
        409, "there is a workspace {workspace} already", "change it with PATCH"
    ),
    Code.WEBHOOK_EXISTS: Meaning(
        409,
        "workspace {workspace} has a webhook {webhook} already",
        "change it, or choose another id",
    ),
    Code.TOO_MANY_WEBHOOKS: Meaning(
        409,
        "workspace {workspace} has {count} webhooks, and more than {most} are not possible",
        "delete one that is no longer needed",
    ),
    Code.LAST_WEBHOOK: Meaning(
        409,
        "webhook {webhook} is the only one of workspace {workspace}",
        "make another one first, or delete the workspace",
    ),
    Code.TOO_MANY_WORDS: Meaning(
        409,
        "the filters of workspace {workspace} would look for {count} words in texts, and more than "
        "{most} are not possible",
        "use fewer words, or have the receiver choose",
    ),
    Code.TOO_MANY_SECRETS: Meaning(
        409,
        "workspace {workspace} still signs with {count} rotated secrets",
        "wait until one expires, or rotate with a shorter time to keep them",
    ),
    Code.TOO_MANY_SOURCES: Meaning(
        409,
        "workspace {workspace} has {count} sources, and more than {most} are not possible",
        "delete one that is no longer needed",
    ),
    Code.TOO_MANY_SOURCE_TOKENS: Meaning(
        409,
        "{count} former tokens of source {source} are still good",
        "rotate later, or with `keep` 0s, which ends the former ones",
    ),
    Code.BEING_SENT: Meaning(
        409, "delivery {delivery} is being sent", "try again when its outcome is in", True
    ),
    Code.ATTEMPT_OVER: Meaning(
        409, "attempt {attempt} of {delivery} is not under way", "nothing is to be done"
    ),
    Code.NOT_DELIVERED_YET: Meaning(
        409, "delivery {delivery} was not delivered, so it can't be resent", "retry it"
    ),
    Code.DISCARDED_NOT_RESENT: Meaning(
        409, "delivery {delivery} was discarded", "what was given up is not sent any more"
    ),
    Code.RESENDS_ENDING: Meaning(
        409, "the resends of {workspace} are just being given up", AGAIN, True
    ),
    Code.WAS_MERGED: Meaning(
        409,
        "delivery {delivery} was merged: its messages are in {into}",
        "do it with that one",
    ),
    Code.NOTHING_MERGES: Meaning(
        409,
        "webhook {webhook} of workspace {workspace} sends each message alone, so nothing is merged",
        "choose a window first, or enable it without a merge",
    ),
    Code.REPLAY_UNDER_WAY: Meaning(
        409, "replay {replay} of {workspace} is not over", "wait for its end, or cancel it"
    ),
    Code.REPLAY_OVER: Meaning(
        409, "replay {replay} of {workspace} is over", "nothing of it is left to be cancelled"
    ),
    Code.MAINTENANCE_UNDER_WAY: Meaning(
        409, "a backup or a check is under way", "wait for it to end", True
    ),
    Code.IN_NO_CLUSTER: Meaning(
        409,
        "this daemon is in no cluster",
        "ask a node of one; docs/cluster.md says how to start it",
    ),
    Code.NO_PARTITION: Meaning(
        404, "the cluster has no partition {partition}", "`hookbundle cluster status` shows all"
    ),
    Code.NO_NODE: Meaning(
        404, "no node that lives is called {node}", "`hookbundle cluster status` shows all"
    ),
    Code.NODE_LEAVES: Meaning(
        409,
        "{node} gives away what it owns, and takes nothing",
        "`hookbundle cluster drain --undo` ends that, or more room on its disk",
    ),
    Code.NO_FRESH_COPY: Meaning(
        409,
        "{node} has no copy of partition {partition} with which it could go on at once",
        "choose a node that follows it; `hookbundle cluster status` shows the copies",
    ),
    Code.NOBODY_STAYS: Meaning(
        409, "there is no other node that could take what {node} gives away", "start one first"
    ),
    Code.NODE_REFUSES: Meaning(
        409, "{node} does not do that", "nodes of one version do; its log may say why"
    ),
    Code.NOT_MOVED: Meaning(
        503,
        "within {within} seconds {node} has not become the owner of partition {partition}, and "
        "is not to be any more",
        "`hookbundle cluster status` shows who owns it; try again",
        True,
    ),
    Code.NODE_LIVES: Meaning(
        409,
        "{node} lives, so it is not forgotten",
        "stop it first; others take it for gone some seconds later",
    ),
    Code.UNKNOWN_NODE: Meaning(
        404, "the cluster knows no node that is called {node}", "check the name"
    ),
    Code.NODES_BEHIND: Meaning(
        409,
        "schema {schema} is not written yet, because these nodes can't read it: {nodes}",
        "start a later version of them, or forget those that will not come back: `hookbundle "
        "cluster forget`",
    ),
    Code.NODES_NOT_RECORDED: Meaning(
        409,
        "these nodes run, and there is no record of what they can read: {nodes}",
        "start them again, which makes one",
    ),
    Code.COMPACTION_UNDER_WAY: Meaning(
        409,
        "the cluster is being compacted already",
        "wait for its end; `hookbundle cluster status` shows how far it is",
        True,
    ),
    Code.CHECK_UNDER_WAY: Meaning(
        409,
        "the copies of all partitions are being compared already",
        "wait for its end; `hookbundle cluster status` shows how far it is",
        True,
    ),
    Code.NO_WHOLE_COPY: Meaning(
        409,
        "the node has no whole copy of the partition now that it can work on",
        "wait until it follows; `hookbundle cluster status` shows it",
        True,
    ),
    Code.CLAIMED_MEANWHILE: Meaning(
        409,
        "another node has taken the partition over, whose log is writable still",
        "give the command again",
        True,
    ),
    Code.ERASES_STILL: Meaning(
        409, "something that was deleted is being erased still", "try again later", True
    ),
    Code.DIRECTORY_INSIDE_DATA: Meaning(
        409, "{directory} is in the data directory", "choose one outside it"
    ),
    Code.DIRECTORY_NOT_EMPTY: Meaning(409, "{directory} is not empty", "choose a new directory"),
    Code.DELIVERY_TRIMMED: Meaning(
        410,
        "delivery {delivery} is no longer kept",
        "it is older than `history.keep`, or its chat was deleted",
    ),
    Code.CHANGED_MEANWHILE: Meaning(
        412,
        "workspace {workspace} was changed meanwhile: it is at version {version} by now",
        "read it again, and repeat the change",
    ),
    Code.MADE_MEANWHILE: Meaning(
        412,
        "there is a workspace {workspace} already, at version {version}",
        "change it with PATCH",
    ),
    Code.MORE_TO_DISCARD: Meaning(
        412, "{count} messages would be discarded by now, not {most}", "decide again"
    ),
    Code.WEBHOOK_CHANGED: Meaning(
        412,
        "webhook {webhook} of workspace {workspace} is at version {version}, not as If-Match or "
        "If-None-Match expect",
        "read it again, and decide anew",
    ),
    Code.WEBHOOK_DELETED: Meaning(
        412,
        "workspace {workspace} has no webhook {webhook}, and If-Match expects one",
        "make it without If-Match",
    ),
    Code.SOURCE_CHANGED: Meaning(
        412,
        "source {source} of workspace {workspace} is at version {version}, not as If-Match or "
        "If-None-Match expect",
        "read it again, and decide anew",
    ),
    Code.WEBHOOK_PRECONDITION: Meaning(
        428,
        "workspace {workspace} has a webhook {webhook}, and PUT would replace all its settings",
        "name its version in If-Match, or `*`; PATCH changes only what it names",
    ),
    Code.DELETED_MEANWHILE: Meaning(
        412, "workspace {workspace} is not there any more", "create it anew if you need it"
    ),
    Code.PRECONDITION_REQUIRED: Meaning(
        428,
        "there is a workspace {workspace}, and PUT would replace all its settings",
        "name the version that you have seen with If-Match, or change it with PATCH",
    ),
}
