"""What there is to see: workspaces in every state, windows, deliveries, and a busy hour."""

from hookbundle.commands.demo import sample
from hookbundle.tests.in_process import MINUTE_MS
from hookbundle.tests.server.console.stage import Stage, talk
from hookbundle.tests.server.http.resources.sources.posting import make, waha


async def fill(stage: Stage) -> dict[str, str]:
    """Something to see on each page; the pages by the names of their pictures."""
    system = stage.system
    await stage.workspace("acme", "Acme Ltd", aggregation="6h")
    await stage.workspace("globex", "Globex Corporation", aggregation="none", path="/broken")
    await stage.workspace("initech", "Initech", aggregation="24h", path="/rejecting")
    await stage.workspace("umbrella", "Umbrella", aggregation="12h", path="")
    stage.receiver.statuses = {"/broken": 500, "/rejecting": 410}
    await system.accept("globex", *(talk(f"Order {n} has arrived", n) for n in range(4)))
    await stage.disabled("globex")
    for number in range(2):
        await system.accept("initech", talk("Is anybody there?", number, chat=f"2002000{number}"))
    await system.ask("POST", "/v1/workspaces/initech/chats/flush")
    for errors in (1, 2, 3):
        await stage.until("initech", consecutive_errors=errors)
        system.clock.move(6 * MINUTE_MS)
    await stage.until("initech", dead_letters=1)
    await system.accept("acme", *sample.CONVERSATION)
    await system.ask("POST", "/v1/workspaces/acme/chats/flush")
    await stage.until("acme", queued=0)
    await system.switch("acme", "test")
    system.clock.move(7 * MINUTE_MS)
    more = [
        talk("Good morning! Do you deliver on Sundays?", 1),
        talk(
            "We do, from 9 to 18 👋", 2, sender=sample.DANA, recipient=sample.JOHN, direction="sent"
        ),
        *(talk(f"Message {n}", n, chat=f"1001000{n}", name=name) for n, name in NAMES),
    ]
    await system.accept("acme", *more)
    deliveries = await system.get("/v1/workspaces/initech/deliveries")
    made = await system.get("/v1/workspaces/acme/deliveries?chat=10010001")
    begun = await system.ask("POST", "/v1/workspaces/initech/replay", {"dry_run": False})
    await stage.workspace("hooli", "Hooli", aggregation="6h")
    crm = {"id": "crm", "url": f"{stage.receiver.url}/crm", "filter": FILTER}
    await system.ask("POST", "/v1/workspaces/hooli/webhooks", crm | {"budget": "1000/day"})
    archive = {"id": "archive", "url": f"{stage.receiver.url}/archive", "enabled": False}
    await system.ask("POST", "/v1/workspaces/hooli/webhooks", archive)
    await system.accept("hooli", *(talk(f"Order {n}", n, chat=f"1001000{n}") for n in (5, 6)))
    await _of_sources(stage)
    message = "wamid.10010001.1"
    actions = system.daemon.partition.reads.activity("acme")
    logged = next(action.logged - 1 for action in actions if action.messages > 1)
    return {
        "workspaces": "/console/workspaces",
        "new-workspace": "/console/workspaces/new",
        "outbound": "/console/w/acme/outbound",
        "disabled": "/console/w/globex/outbound",
        "request": f"/console/w/acme/requests/{logged}",
        "windows": "/console/w/acme/windows",
        "preview": "/console/w/acme/windows/10010001",
        "deliveries": "/console/w/initech/deliveries",
        "delivery": f"/console/w/initech/deliveries/{deliveries['deliveries'][0]['id']}",
        "history": "/console/w/acme/deliveries?q=doe",
        "delivered": f"/console/w/acme/deliveries/{made['deliveries'][0]['id']}",
        "chat": "/console/w/acme/chats/10010001",
        "message": f"/console/w/acme/messages/{message}?chat=10010001",
        "never-came": "/console/w/acme/messages/wamid.unknown?chat=10010001",
        "found": "/console/w/acme/find?q=s",
        "replays": "/console/w/initech/replay",
        "replay": f"/console/w/initech/replay/{begun.document['job']}",
        "overview": "/console/overview",
        "mail": "/console/mail",
        "webhooks": "/console/w/hooli/webhooks",
        "webhook": "/console/w/hooli/webhooks/crm",
        "held-webhook": "/console/w/hooli/webhooks/archive",
        "new-webhook": "/console/w/hooli/webhooks/new",
        "filter": "/console/w/hooli/webhooks/crm/filter",
        "signature": "/console/w/hooli/webhooks/crm/signature",
        "windows-of-several": "/console/w/hooli/windows?webhook=outbound",
        "deliveries-of-several": "/console/w/hooli/deliveries",
        "sources": "/console/w/hooli/sources",
        "source-kinds": "/console/w/hooli/sources/new",
        "new-source": "/console/w/hooli/sources/new?kind=generic",
        "source": "/console/w/hooli/sources/waha-1",
        "new-source-waits": "/console/w/hooli/sources/meta-2",
        "source-settings": "/console/w/hooli/sources/waha-1/settings",
        "source-request": "/console/w/hooli/sources/waha-1/requests/1",
    }


async def _of_sources(stage: Stage) -> None:
    """Two sources of hooli: one that has posted what is good and bad, and one that waits."""
    account = {"full_name": "Nadia Haddad"}
    other = await make(stage.system, "waha", "hooli", account=account)
    key = {"name": "x-key", "value": "a long random text"}
    await make(stage.system, "meta", "hooli", app_secret="a secret", header=key)
    faulty, second = waha("BBB"), waha("CCC", text="Do you deliver on Sundays?")
    faulty["payload"]["id"] = "no id"
    second["me"]["id"] = "4915700000000@c.us"
    for body in (faulty, {"event": "moon.phase", "payload": {"phase": "full"}}, waha(), second):
        await other.post(body, "/events")
        await other.shown()  # each is written by itself: of some in a second one is kept


FILTER = {
    "direction": "received",
    "labels": {"any": ["VIP", "عميل مميز"]},
    "any": [{"text_contains": ["invoice", "فاتورة"]}, {"is_new_chat": True}],
}
NAMES = [(5, "Maria Rossi"), (6, "سامي حداد"), (7, "Küçük Kafe ☕"), (8, "Sales team")]


async def bustle(stage: Stage) -> None:
    """An hour and a half of life in a workspace, for the plots."""
    await stage.workspace("nile", "متجر النيل", aggregation="1h", owner="layla@nile.example")
    samples, clock = stage.system.daemon.console.samples, stage.system.clock
    await samples.close()  # by its own clock it would take one in between
    samples.taken.clear()
    for step in range(90):
        amount = 6 + step // 6 + (step * 7919) % 11 + (12 if 50 < step < 60 else 0)
        events = [
            talk(f"Hello {step}.{n}", step * 100 + n, chat=f"30030{(step + n) % 90:03}")
            for n in range(amount)
        ]
        await stage.system.accept("nile", *events)
        await samples.take()
        clock.move(MINUTE_MS)
    await stage.until("nile", queued=0)
