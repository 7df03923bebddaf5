"""The examples of each help page, by the command's path. A test runs each against a daemon."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "hookbundle demo                       # see it work",
        "hookbundle run                        # start the daemon",
        "hookbundle workspace set acme --url https://receiver.example/in",
        "hookbundle send acme messages.ndjson  # send it messages",
        "hookbundle tail --workspace acme      # see what happens",
    ),
    "run": (
        "hookbundle run",
        "hookbundle run --data /var/lib/hookbundle --listen 127.0.0.1:8470",
        "hookbundle run --config hookbundle.toml",
    ),
    "demo": ("hookbundle demo",),
    "status": ("hookbundle status", "hookbundle status --json"),
    "workspace": (
        "hookbundle workspace list",
        "hookbundle workspace set acme --url https://receiver.example/in",
        "hookbundle workspace test acme",
    ),
    "workspace list": (
        "hookbundle workspace list",
        "hookbundle workspace list --q acme --state disabled",
        "hookbundle workspace list --json",
    ),
    "workspace show": ("hookbundle workspace show acme",),
    "workspace set": (
        "hookbundle workspace set acme --url https://receiver.example/in",
        'hookbundle workspace set acme --name "Acme Ltd" --aggregation 6h',
        "hookbundle workspace set acme --owner-email owner@acme.example",
        "hookbundle workspace set acme --language ar --time-zone Asia/Riyadh",
    ),
    "workspace enable": (
        "hookbundle workspace enable acme",
        "hookbundle workspace enable acme --merge  # one request a chat",
        "hookbundle workspace enable acme --discard  # send nothing of what was held",
    ),
    "workspace disable": ("hookbundle workspace disable acme",),
    "workspace test": ("hookbundle workspace test acme",),
    "workspace rotate-secret": (
        "hookbundle workspace rotate-secret acme",
        "hookbundle workspace rotate-secret acme --keep 0s  # the old one has leaked",
    ),
    "workspace delete": (
        "hookbundle workspace delete acme",
        "hookbundle workspace delete acme --yes",
    ),
    "webhook": (
        "hookbundle webhook list acme",
        "hookbundle webhook set acme crm --url https://crm.example/in --aggregation 1h",
        "hookbundle webhook test acme crm",
    ),
    "webhook list": ("hookbundle webhook list acme", "hookbundle webhook list acme --json"),
    "webhook show": ("hookbundle webhook show acme crm",),
    "webhook set": (
        "hookbundle webhook set acme crm --url https://crm.example/in",
        "hookbundle webhook set acme crm --aggregation 6h --success 2xx",
    ),
    "webhook delete": (
        "hookbundle webhook delete acme crm",
        "hookbundle webhook delete acme crm --yes",
    ),
    "webhook merge": ("hookbundle webhook merge acme crm",),
    "webhook enable": (
        "hookbundle webhook enable acme crm",
        "hookbundle webhook enable acme crm --merge  # one request a chat",
        "hookbundle webhook enable acme crm --discard  # send nothing of what was held",
    ),
    "webhook disable": ("hookbundle webhook disable acme crm",),
    "webhook test": ("hookbundle webhook test acme crm",),
    "webhook filter-test": (
        'hookbundle webhook filter-test acme crm --filter \'{"direction": "received"}\'',
        "hookbundle webhook filter-test acme crm  # the filter that it has",
    ),
    "webhook rotate-secret": ("hookbundle webhook rotate-secret acme crm",),
    "send": (
        "hookbundle send acme messages.ndjson",
        "hookbundle send acme < message.json",
        "tail -n 100 -f messages.ndjson | hookbundle send acme  # a live pipe",
    ),
    "chats": (
        "hookbundle chats list acme",
        "hookbundle chats preview acme 10010001",
        "hookbundle chats flush acme 10010001",
    ),
    "chats list": (
        "hookbundle chats list",
        "hookbundle chats list acme --due-within 1h",
        "hookbundle chats list acme --json --limit 10",
    ),
    "chats flush": (
        "hookbundle chats flush acme 10010001",
        "hookbundle chats flush acme --yes  # all open windows of acme",
    ),
    "chats preview": ("hookbundle chats preview acme 10010001",),
    "chats delete": ("hookbundle chats delete acme 10010001",),
    "chats history": (
        "hookbundle chats history acme 10010001",
        "hookbundle chats history acme --phone +97254000000 --since -24h",
        "hookbundle chats history acme 10010001 \\",
        "    --since 2027-01-31T14:30:00+02:00 --until 2027-01-31T15:30:00+02:00",
        "hookbundle chats history acme 10010001 --message m1  # each attempt, too",
    ),
    "deliveries": (
        "hookbundle deliveries list acme",
        "hookbundle deliveries list --state dead_letter",
        "hookbundle deliveries retry --all-dead-letters acme",
    ),
    "deliveries list": (
        "hookbundle deliveries list",
        "hookbundle deliveries list acme --state dead_letter",
        "hookbundle deliveries list acme --state queued --json",
        "hookbundle deliveries list acme --chat 10010001 --since -2d",
        "hookbundle deliveries list acme --q 'john doe' --status 4xx",
        "hookbundle deliveries list --phone '+972 54 000000' --state delivered",
    ),
    "deliveries show": ("hookbundle deliveries show dlv_43cc8079b600000001000000000001",),
    "deliveries retry": (
        "hookbundle deliveries retry dlv_43cc8079b600000001000000000001",
        "hookbundle deliveries retry --all-dead-letters acme",
    ),
    "deliveries discard": (
        "hookbundle deliveries discard dlv_43cc8079b600000001000000000001 \\",
        '    --reason "the customer has it already"',
    ),
    "deliveries resend": ("hookbundle deliveries resend dlv_43cc8079b600000001000000000001",),
    "deliveries replay": (
        "hookbundle deliveries replay acme --dry-run  # how many dead letters there are",
        "hookbundle deliveries replay acme --since -24h --status 404 --yes",
        "hookbundle deliveries replay acme --state delivered --chat 10010001 --yes",
    ),
    "deliveries replays": (
        "hookbundle deliveries replays acme",
        "hookbundle deliveries replays acme 1 --json",
    ),
    "deliveries cancel-replay": ("hookbundle deliveries cancel-replay acme 1",),
    "activity": ("hookbundle activity acme", "hookbundle activity acme --json"),
    "log": (
        "hookbundle log acme",
        "hookbundle log acme --format ndjson | head -n 1",
        "hookbundle log acme --chat 10010001 --status 5xx --since -1h",
        "hookbundle log acme -o log.json",
    ),
    "tail": (
        "hookbundle tail --workspace acme --type 'delivery.*'",
        "hookbundle tail --workspace acme --chat 10010001 --since -1h --until now",
        "hookbundle tail --type delivery.failed --type webhook.disabled --count 1",
        "hookbundle tail --since oldest --no-follow --json > events.ndjson",
    ),
    "token": (
        "hookbundle token create --scope intake --workspace acme",
        "hookbundle token list",
    ),
    "token create": (
        "hookbundle token create --scope intake --workspace acme",
        "hookbundle token create --scope admin > admin.token",
        "hookbundle token create --scope intake --name Zapier --expires 90d",
    ),
    "token list": ("hookbundle token list",),
    "token revoke": ("hookbundle token revoke tok_43cc8079b600",),
    "verify": (
        "hookbundle verify --secret whsec_... --body body.json \\",
        "    --header 'webhook-id: dlv_...' --header 'webhook-timestamp: 1795856989' \\",
        "    --header 'webhook-signature: v1,...'",
    ),
    "backup": ("hookbundle backup /var/lib/hookbundle-backups/monday",),
    "restore": (
        "hookbundle restore /var/lib/hookbundle-backups/monday \\",
        "    --data /var/lib/hookbundle",
    ),
    "check": ("hookbundle check", "hookbundle check --data /var/lib/hookbundle"),
    "compact": ("hookbundle compact --data /var/lib/hookbundle",),
    "config": ("hookbundle config show", "hookbundle config check"),
    "config show": (
        "hookbundle config show",
        "hookbundle --config hookbundle.toml config show --json",
    ),
    "config check": (
        "hookbundle config check",
        "hookbundle --config hookbundle.toml config check",
    ),
    "completion": (
        'eval "$(hookbundle completion bash)"',
        "hookbundle completion fish > ~/.config/fish/completions/hookbundle.fish",
    ),
    "version": ("hookbundle version", "hookbundle version --json"),
}
