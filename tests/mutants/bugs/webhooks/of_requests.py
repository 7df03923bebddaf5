"""Bugs of a webhook's request: its secrets, its tokens, its way through a proxy."""

from hookbundle.tests.mutants.mutant import Mutant

WANTED = "tests/engine/requests/test_wanted.py"
REQUESTS = "tests/crm/requests/test_requests.py"
OAUTH = "tests/engine/requests/test_oauth.py"
TOKENS = "tests/crm/requests/test_tokens.py"
PROXY = "tests/crm/requests/test_proxy.py"
BYTES = "tests/actors/outbound/test_requests.py"
CANARIES = f"{REQUESTS}::test_no_secret_is_in_any_log_fact_page_or_export"

REQUESTED = (
    Mutant(
        name="rq1",
        bug="secrets stay when the URL leads to another host",
        path="engine/requests/changing.py",
        edits=(("    if old_url and origin_of(old_url) != origin_of(new_url):", "    if False:"),),
        caught_by=(
            f"{WANTED}::test_another_origin_gets_no_secret_by_accident",
            f"{REQUESTS}::test_another_origin_drops_them_and_all_who_change_it_are_told",
        ),
    ),
    Mutant(
        name="rq2",
        bug="what is only said to be set counts as given anew for another host",
        path="engine/requests/changing.py",
        edits=(("            kept.add(name)\n", "            pass\n"),),
        caught_by=(f"{WANTED}::test_another_origin_gets_no_secret_by_accident",),
    ),
    Mutant(
        name="rq3",
        bug="a client's secret goes to another token URL",
        path="engine/requests/changing.py",
        edits=(("    if _moves_its_token(before.auth, auth, wanted):\n", "    if False:\n"),),
        caught_by=(f"{WANTED}::test_a_token_url_elsewhere_drops_the_secret_of_the_client",),
    ),
    Mutant(
        name="rq4",
        bug="a header of a webhook is not checked where the bytes are made",
        path="actors/outbound/request.py",
        edits=(("if not (_is_name(name) and is_value(value)):", "if not name:"),),
        caught_by=(f"{BYTES}::test_a_stored_value_that_no_head_may_hold_is_not_sent",),
    ),
    Mutant(
        name="rq5",
        bug="a token is used to its last second and beyond",
        path="engine/requests/oauth.py",
        edits=(("LASTS_S_MAX) - MARGIN_S)", "LASTS_S_MAX) + MARGIN_S)"),),
        caught_by=(f"{TOKENS}::test_a_token_is_kept_until_a_minute_before_its_end",),
    ),
    Mutant(
        name="rq6",
        bug="each 401 fetches another token",
        path="actors/outbound/exchanging.py",
        edits=(
            (
                "        if refused or once:",
                "        if progress.sent > 3 or once:",
            ),
        ),
        caught_by=(f"{TOKENS}::test_a_401_fetches_anew_once_and_both_requests_are_counted",),
    ),
    Mutant(
        name="rq7",
        bug="changed credentials get the token of the old ones",
        path="actors/outbound/tokens.py",
        edits=(
            (
                "            is_good = kept.auth == auth and",
                "            is_good = kept.auth is not None and",
            ),
        ),
        caught_by=(f"{TOKENS}::test_changed_credentials_never_get_the_old_token",),
    ),
    Mutant(
        name="rq8",
        bug="the detailed log shows the values of headers",
        path="engine/requests/hiding.py",
        edits=(
            (
                "    shown = {name: HIDDEN for name, _ in request.headers}\n",
                "    shown = dict(request.headers)\n",
            ),
        ),
        caught_by=(CANARIES,),
    ),
    Mutant(
        name="rq9",
        bug="a receiver that repeats a token puts it into the detailed log",
        path="actors/attempts/sending.py",
        edits=(
            (
                "secrets_of_request(sending.request, tokens)",
                "secrets_of_request(sending.request)",
            ),
        ),
        caught_by=(CANARIES,),
    ),
    Mutant(
        name="rq10",
        bug="a proxy is asked for addresses that may not be called",
        path="actors/outbound/connector.py",
        edits=(("        if refusal is not None:\n", "        if refusal == 'no':\n"),),
        caught_by=(f"{PROXY}::test_the_guard_judges_what_the_proxy_is_asked_for",),
    ),
    Mutant(
        name="rq11",
        bug="one allowed address of a name is enough, whichever the proxy takes",
        path="actors/outbound/proxy.py",
        edits=(("for each in addresses if (found", "for each in addresses[:1] if (found"),),
        caught_by=(
            f"{PROXY}::test_a_name_with_one_forbidden_address_is_refused_as_the_proxy_chooses_"
            "among_them",
        ),
    ),
    Mutant(
        name="rq12",
        bug="a proxy that is not there is booked as an error of each receiver",
        path="engine/delivery/outcomes.py",
        edits=((", ErrorClass.LOOK_UPS_FULL, ErrorClass.PROXY})", ", ErrorClass.LOOK_UPS_FULL})"),),
        caught_by=(f"{PROXY}::test_a_proxy_that_is_not_there_is_our_fault",),
    ),
    Mutant(
        name="rq13",
        bug="what the token endpoint says is told as the error",
        path="engine/requests/oauth.py",
        edits=(("isinstance(code, str) and code in CODES", "isinstance(code, str)"),),
        caught_by=(f"{TOKENS}::test_a_failing_endpoint_is_an_attempt_that_failed_with_auth",),
    ),
    Mutant(
        name="rq14",
        bug="a token endpoint ends the webhook's actor with arrays within arrays",
        path="engine/requests/oauth.py",
        edits=((", UnicodeDecodeError, RecursionError):", ", UnicodeDecodeError):"),),
        caught_by=(f"{OAUTH}::test_an_answer_without_a_usable_token_is_a_reason",),
    ),
    Mutant(
        name="rq15",
        bug="a token endpoint ends the webhook's actor with a number of 400 digits",
        path="engine/requests/oauth.py",
        edits=(("(TypeError, ValueError, OverflowError)", "(TypeError, ValueError)"),),
        caught_by=(f"{OAUTH}::test_a_time_that_makes_no_sense_is_as_one_that_is_absent",),
    ),
    Mutant(
        name="rq16",
        bug="the page says nothing of credentials that did not go along to another host",
        path="server/console/pages/webhook.py",
        edits=(('"saved_dropped" if dropped else "saved"', '"saved"'),),
        caught_by=(
            "tests/server/console/pages/webhooks/test_dropped.py"
            "::test_another_host_drops_headers_and_credentials_and_the_page_says_so",
        ),
    ),
)
