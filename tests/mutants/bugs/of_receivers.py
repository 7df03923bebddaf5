"""Bugs that let a receiver misuse the daemon."""

from hookbundle.tests.mutants.mutant import Mutant

OUTBOUND = "tests/actors/outbound/test_client.py"
ADDRESSES = "tests/actors/outbound/test_forbidden_addresses.py"

RECEIVERS = (
    Mutant(
        name="m11a",
        bug="redirects are followed",
        path="actors/outbound/client.py",
        edits=(
            (
                "        if answer.head is not None:\n            return\n",
                "        if answer.head is not None:\n"
                "            where = dict(answer.head.headers).get('Location')\n"
                "            if where is None:\n"
                "                return\n"
                "            route = route_to(target_of(where), {})\n"
                "            continue\n",
            ),
        ),
        caught_by=(f"{OUTBOUND}::test_a_redirect_is_an_answer_and_is_never_followed",),
    ),
    Mutant(
        name="m11b",
        bug="answers are read to their end",
        path="actors/outbound/answer.py",
        edits=(
            ("BODY_READ_BYTES_MAX = 16 * 1024", "BODY_READ_BYTES_MAX = 2**40"),
            ("RECEIVED_BYTES_MAX = 256 * 1024", "RECEIVED_BYTES_MAX = 2**40"),
        ),
        caught_by=(
            "tests/reliability/load/test_answers_without_end.py"
            "::test_a_long_answer_is_not_read_to_its_end",
        ),
    ),
    Mutant(
        name="m12",
        bug="addresses are checked only when names are resolved",
        path="actors/outbound/client.py",
        edits=(
            (
                "    refusal = policy.refusal(str(sockaddr[0])) "
                "or port_refusal(int(sockaddr[1]))\n",
                "    refusal = port_refusal(int(sockaddr[1]))\n",
            ),
            ("resolver=look_ups,\n", "resolver=_Checking(look_ups, self._policy),\n"),
            (
                "\n\ndef _guarded_socket(",
                "\n\nclass _Checking(AbstractResolver):\n"
                "    def __init__(self, resolver, policy):\n"
                "        self.resolver, self.policy = resolver, policy\n"
                "        self.close = resolver.close\n\n"
                "    async def close(self): ...\n\n"
                "    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):\n"
                "        found = await self.resolver.resolve(host, port, family)\n"
                "        kept = [one for one in found if not self.policy.refusal(one['host'])]\n"
                "        if not kept:\n"
                "            PROGRESS.get().refusals.append('by name')\n"
                "            raise ForbiddenAddressError(host)\n"
                "        return kept\n"
                "\n\ndef _guarded_socket(",
            ),
        ),
        caught_by=(f"{ADDRESSES}::test_by_default_nothing_inside_is_ever_connected_to",),
    ),
)
