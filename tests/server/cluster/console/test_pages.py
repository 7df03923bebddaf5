"""The console at any node: pages of a workspace from its owner, lists of all partitions."""

from pathlib import Path

import pytest

from hookbundle.server.cluster import routing
from hookbundle.server.console.pages import workspaces
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.server.cluster.two_nodes import NAMES, two

PAGES = ("outbound", "webhooks", "windows", "deliveries", "find?q=x", "activity", "delete")


async def test_pages_of_a_workspace_are_served_by_every_node(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        for name in NAMES:
            for path in PAGES:
                seen = [await each.get(f"/console/w/{name}/{path}") for each in at.visitors]
                assert [each.status for each in seen] == [200, 200], path
        languages = [
            await each.get("/console/w/ws9/outbound", headers={"Accept-Language": "ar"})
            for each in at.visitors
        ]
        unknown = await at.visitors[0].get("/console/w/nobody/outbound")
        foreign = await at.visitors[0].get("/console/no/such/page")

    assert all('lang="ar"' in each.text for each in languages)
    assert all("frame-ancestors" in each.headers["content-security-policy"] for each in languages)
    assert (unknown.status, foreign.status) == (404, 404)


async def test_a_form_is_carried_out_by_the_owner_and_says_so(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        visitor = at.elsewhere("ws9")
        asked = await visitor.get("/console/w/ws9/delete")
        refused = await visitor.post("/console/w/ws9/delete", {"id": "other"})
        forged = await visitor.post("/console/w/ws9/delete", {"form_token": "x", "id": "ws9"})
        version = asked.text.partition('name="version" value="')[2].partition('"')[0]
        done = await visitor.post("/console/w/ws9/delete", {"id": "ws9", "version": version})
        gone = await at.apis[0].ask("GET", "/v1/workspaces/ws9")
        said = await visitor.get("/console/workspaces")
        said_again = await visitor.get("/console/workspaces")

    assert (said.text.count("ws9"), said_again.text.count("ws9")) == (1, 0)
    assert (refused.status, forged.status, done.status) == (422, 403, 303)
    assert gone.status == 404


async def test_a_workspace_is_made_at_any_node(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        for name in NAMES:
            form = {"id": name, "name": f"The {name}", "owner_email": "owner@example.com"}
            made = await at.visitors[0].post("/console/workspaces/new", form)
            assert (made.status, made.headers["location"]) == (303, f"/console/w/{name}/outbound")
            shown = await at.visitors[1].get(f"/console/w/{name}/outbound")
            assert f"The {name}" in shown.text
        wrong = await at.visitors[0].post("/console/workspaces/new", {"id": "no good"})

    assert wrong.status == 422


async def test_the_list_shows_the_workspaces_of_all_partitions_page_by_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.server.cluster.console.lists.PAGE_MAX", 2)
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        path, found, pages = "/console/workspaces", [], 0
        while path:
            seen = await at.visitors[pages % 2].get(path)
            found += [name for name in NAMES if f"/w/{name}/" in seen.text]
            pages += 1
            path = next(
                (
                    piece.partition('"')[0].replace("&amp;", "&")
                    for piece in seen.text.split('href="')
                    if "after=" in piece.partition('"')[0]
                    and not piece.partition('"')[0].endswith("after=")
                ),
                "",
            )
            assert pages < 9
        searched = await at.visitors[0].get("/console/workspaces?q=ws11")

    assert sorted(found) == NAMES
    assert pages >= 3
    assert "/w/ws11/" in searched.text
    assert "/w/ws2/" not in searched.text
    assert workspaces.PAGE_MAX == 50


async def test_a_delivery_is_found_by_its_id_alone(tmp_path: Path) -> None:
    async with receiving() as receiver, two(tmp_path) as at:
        await at.sign_in()
        for name in NAMES:
            await at.apis[0].make(name, receiver, name)
            await at.apis[0].accept(name, event("m1"))
        posts = await receiver.until(len(NAMES))
        for post in posts:
            seen = await at.visitors[1].get(f"/console/find?q={post.id}")
            assert seen.headers["location"] == f"/console/w/{post.path}/deliveries/{post.id}"
        nothing = await at.visitors[0].get("/console/find?q=dlv_0000000000000000000000000000000")

    assert nothing.status in (200, 303)


async def test_the_overview_is_of_all_partitions(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        for name in NAMES:
            await at.apis[0].accept(name, event("m1"))
        samples = [await node.console.samples.take() for node in at.nodes]
        seen = [await each.get("/console/overview") for each in at.visitors]

    assert [each.accepted for each in samples] == [len(NAMES)] * 2
    assert [each.status for each in seen] == [200, 200]


async def test_a_page_that_would_leave_a_partition_out_names_it_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "OWNER_WITHIN_S", 0.1)
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        lost = sorted(at.nodes[1].owned)
        for each in at.cluster.nodes.values():
            each.may_judge = False
        at.cluster.nodes["b"].is_cut = True
        listed = await at.visitors[0].get("/console/workspaces")
        overview = await at.visitors[0].get("/console/overview")
        at.cluster.nodes["b"].is_cut = False

    assert (listed.status, overview.status) == (503, 503)
    assert str(lost[0]) in listed.text
    assert str(lost[0]) in overview.text


async def test_the_operator_sees_nodes_partitions_and_what_needs_a_person(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.made()
        await at.sign_in()
        seen = [await each.get("/console/cluster") for each in at.visitors]
        arabic = await at.visitors[0].get("/console/cluster", headers={"Accept-Language": "ar"})
        part = await at.visitors[0].get("/console/cluster/now")
        await at.sign_in(await at.token("ws9"))
        of_owner = await at.visitors[0].get("/console/cluster")
        home = await at.visitors[0].get("/console/w/ws9/outbound")

    for each in (*seen, arabic, part):
        assert each.status == 200
        assert all(f"<bdi>{name}</bdi>" in each.text for name in "ab"), each.text
    assert 'href="/console/cluster"' in seen[0].text
    assert "المجموعة" in arabic.text
    assert "Size of its log" in part.text
    assert "حجم سجله" in arabic.text
    assert of_owner.status == 404
    assert "/console/cluster" not in home.text


async def test_a_record_that_its_owner_can_not_read_is_shown_by_every_node(tmp_path: Path) -> None:
    async with two(tmp_path) as at:
        await at.sign_in()
        owner = at.nodes[0]
        number = min(owner.owned)
        owner.hosts[number].role.state.damaged = "key 7"
        cluster = await at.apis[1].get("/v1/cluster")
        seen = await at.visitors[1].get("/console/cluster")

    damaged = [each["number"] for each in cluster["partitions"] if each["damaged"]]
    assert damaged == [number]
    assert f"a can't read a record of partition {number}" in " ".join(cluster["warnings"])
    assert 'data-need="damaged"' in seen.text
    assert seen.text.count('<span class="badge bad">damaged</span>') == 1
