"""The daemon's own authority and client certificate, as they are set, with a real receiver."""

import ssl
from pathlib import Path

from hookbundle.commands.configuration.loading import load
from hookbundle.commands.daemon.outbound import tls_context
from hookbundle.engine.delivery.outcomes import NoResponse, Response
from hookbundle.tests.actors.outbound.calling import BODY, calling
from hookbundle.tests.actors.outbound.certificates import AUTHORITY, RECEIVER, receiver_tls
from hookbundle.tests.receivers import OK, FixedResolver, answering, receiving

HERE = FixedResolver(["127.0.0.1"])


async def test_a_receiver_that_wants_a_certificate_gets_the_daemon_s(tmp_path: Path) -> None:
    authority, own = tmp_path / "authority.pem", tmp_path / "own.pem"
    authority.write_text(AUTHORITY)
    own.write_text(RECEIVER)
    wants = receiver_tls(tmp_path)
    wants.verify_mode = ssl.CERT_REQUIRED
    wants.load_verify_locations(cadata=AUTHORITY)
    trusts = {"HOOKBUNDLE_DELIVERY__CA_FILE": str(authority)}
    shows = {**trusts, "HOOKBUNDLE_DELIVERY__CLIENT_CERTIFICATE": str(own)}

    async with receiving(answering(OK), wants) as receiver:
        url = f"https://receiver.example:{receiver.port}/in"
        results = []
        for given in (trusts, shows):
            tls = tls_context(load({}, given, []))
            async with calling(resolver=HERE, tls=tls) as client:
                results.append(await client.post(url, BODY, {}))

    refused, taken = results
    assert isinstance(refused, NoResponse)
    assert isinstance(taken, Response)
