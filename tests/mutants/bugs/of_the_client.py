"""Bugs of the HTTP client: answers not heard, requests that are not as they were meant."""

from hookbundle.tests.mutants.mutant import Mutant

ANSWERS = "tests/actors/outbound/test_answers.py"
DECIDES = f"{ANSWERS}::test_the_status_line_decides_whatever_follows_it"
KEPT = "tests/actors/outbound/test_kept_connections.py"
LIMITS = "tests/actors/outbound/test_limits.py"
REQUESTS = "tests/actors/outbound/test_requests.py"
TLS = "tests/actors/outbound/test_tls.py"

CLIENT = (
    Mutant(
        name="h1",
        bug="a line that is no header spoils the answer",
        path="actors/outbound/head.py",
        edits=(
            (
                "                return  # no field: a warning, or more of the field before\n",
                "                raise ValueError(line)\n",
            ),
        ),
        caught_by=(DECIDES,),
    ),
    Mutant(
        name="h2",
        bug="a connection is used again after an answer that left a doubt",
        path="actors/outbound/head.py",
        edits=(("if not self.is_clean or b", "if b"),),
        caught_by=(DECIDES,),
    ),
    Mutant(
        name="fa1",
        bug="the connection that was used longest ago is used first, so that none ever ends unused",
        path="actors/outbound/connector.py",
        edits=(("found = kept.pop()", "found = kept.pop(0)"),),
        caught_by=(f"{KEPT}::test_the_connection_that_was_used_last_is_used_first",),
    ),
    Mutant(
        name="h3",
        bug="a body has the whole time limit",
        path="actors/outbound/connection.py",
        edits=(("BODY_S_MAX, self._too_late", "3_600, self._too_late"),),
        caught_by=(
            f"{LIMITS}::test_a_queue_waits_two_seconds_for_a_body_and_not_for_the_time_limit",
        ),
    ),
    Mutant(
        name="h4",
        bug="a request is sent again also over a connection that was new",
        path="actors/outbound/exchanging.py",
        edits=(("if not was_used or answer", "if progress.wants_new or answer"),),
        caught_by=(f"{KEPT}::test_a_request_over_a_new_connection_is_never_sent_again",),
    ),
    Mutant(
        name="h5",
        bug="the second try takes another kept connection",
        path="actors/outbound/exchanging.py",
        edits=(("        progress.wants_new = True\n", "        pass\n"),),
        caught_by=(f"{KEPT}::test_the_new_connection_is_not_another_kept_one",),
    ),
    Mutant(
        name="h6",
        bug="a connection in use has no age",
        path="actors/outbound/connection.py",
        edits=(
            (
                "min(self._now_s() + idle_s, self._made_s + AGE_S_MAX)",
                "self._now_s() + idle_s",
            ),
        ),
        caught_by=(f"{KEPT}::test_a_name_that_moves_is_followed_under_steady_traffic",),
    ),
    Mutant(
        name="h7",
        bug="what the receiver announces of its connections is not heard",
        path="actors/outbound/connection.py",
        edits=(("idle_s = min(idle_s, answer.head.idle_s - IDLE_MARGIN_S)", "pass"),),
        caught_by=(
            f"{KEPT}::test_a_connection_is_not_used_again_when_its_idle_time_is_nearly_over",
        ),
    ),
    Mutant(
        name="h8",
        bug="a header may hold the end of a line",
        path="actors/outbound/request.py",
        edits=(("if not (_is_name(name) and is_value(value)):", "if not name:"),),
        caught_by=(f"{REQUESTS}::test_nothing_but_a_header_gets_into_the_head",),
    ),
    Mutant(
        name="h9",
        bug="a URL is decoded and folded before it is sent",
        path="engine/delivery/targets.py",
        edits=(
            (
                "    return path if path.isascii() else quote(path, safe=printable)\n",
                "    from yarl import URL as Url\n\n"
                "    return Url('http://a' + path).raw_path_qs\n",
            ),
        ),
        caught_by=(f"{REQUESTS}::test_the_request_line_is_the_url_to_the_byte",),
    ),
    Mutant(
        name="h10",
        bug="a refusal that came before the body was sent is lost with the connection",
        path="actors/outbound/connection.py",
        edits=(("            self._read_what_is_left()\n", "            pass\n"),),
        caught_by=(
            f"{REQUESTS}::test_a_refusal_that_waits_to_be_read_is_heard_when_sending_fails",
        ),
    ),
    Mutant(
        name="h11",
        bug="an alert of TLS after the handshake is a reset",
        path="actors/outbound/errors.py",
        edits=(("by=ssl.SSLError() as by", "by=str() as by"),),
        caught_by=(f"{TLS}::test_a_receiver_that_wants_a_client_certificate_is_an_error_of_tls",),
    ),
    Mutant(
        name="h12",
        bug="a Retry-After behind many headers is not stored",
        path="actors/outbound/head.py",
        edits=(("is_wanted=lower == ALWAYS_STORED", "is_wanted=False"),),
        caught_by=(DECIDES,),
    ),
    Mutant(
        name="h13",
        bug="an attempt under way takes the new policy for a second connection",
        path="actors/outbound/client.py",
        edits=(
            ("partial(_guarded_socket, self._policy)", "self._socket"),
            (
                "    def _new_route(self",
                "    def _socket(self, address: AddrInfoType) -> socket.socket:\n"
                "        return _guarded_socket(self._policy, address)\n\n"
                "    def _new_route(self",
            ),
        ),
        caught_by=(
            f"{LIMITS}::test_an_attempt_under_way_keeps_its_policy_and_the_next_has_the_new_one",
        ),
    ),
    Mutant(
        name="h14",
        bug="bytes that nobody asked for answer the next request",
        path="actors/outbound/connection.py",
        edits=(
            (
                "            self.should_close = True\n            self.abort()\n",
                "",
            ),
        ),
        caught_by=(
            "tests/actors/outbound/test_client.py"
            "::test_an_answer_sent_while_the_connection_was_idle_answers_nothing",
        ),
    ),
)


# ---- what is said of receivers

OUTBOUND = "tests/actors/outbound/test_client.py"
ADDRESSES = "tests/actors/outbound/test_forbidden_addresses.py"

RECEIVERS = (
    Mutant(
        name="m11a",
        bug="redirects are followed",
        path="actors/outbound/exchanging.py",
        edits=(
            (
                "import Route, head_of\n",
                "import Route, head_of, route_to\n"
                "from hookbundle.engine.delivery.targets import target_of\n",
            ),
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
            ("BODY_READ_BYTES_MAX = limits.ANSWER_READ_BYTES_MAX", "BODY_READ_BYTES_MAX = 2**40"),
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
                "    refusal = policy.refusal(ip, port) or port_refusal(port)\n",
                "    refusal = port_refusal(port)\n",
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
