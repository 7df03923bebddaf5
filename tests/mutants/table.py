"""Bugs to plant, one at a time, and the tests that are expected to catch them.

A mutant is a mistake that a developer could make, as an exact change of the product's text. When
that text changes, the mutant no longer applies and test_mutants_apply.py fails.
"""

from hookbundle.tests.mutants.bugs.callers.of_slow_and_failed_requests import (
    SLOW_AND_FAILED_REQUESTS,
)
from hookbundle.tests.mutants.bugs.callers.of_the_lane import THE_LANE
from hookbundle.tests.mutants.bugs.callers.of_the_reference import REFERENCE
from hookbundle.tests.mutants.bugs.callers.of_tokens import TOKENS
from hookbundle.tests.mutants.bugs.cluster.of_lost_answers import LOST_ANSWERS
from hookbundle.tests.mutants.bugs.commands.of_checks import CHECKS
from hookbundle.tests.mutants.bugs.commands.of_doctor import DOCTOR
from hookbundle.tests.mutants.bugs.commands.of_listening import LISTENING
from hookbundle.tests.mutants.bugs.commands.of_mail import MAIL_TRIALS
from hookbundle.tests.mutants.bugs.commands.of_moving import MOVING
from hookbundle.tests.mutants.bugs.commands.of_starting import STARTING
from hookbundle.tests.mutants.bugs.formats.of_formats import FORMATS
from hookbundle.tests.mutants.bugs.formats.of_set_formats import SET_FORMATS
from hookbundle.tests.mutants.bugs.kept.of_what_is_kept import KEPT
from hookbundle.tests.mutants.bugs.of_answers import ANSWERS
from hookbundle.tests.mutants.bugs.of_clients import CLIENTS
from hookbundle.tests.mutants.bugs.of_commands import COMMANDS
from hookbundle.tests.mutants.bugs.of_deliveries import DELIVERIES
from hookbundle.tests.mutants.bugs.of_errors import ERRORS
from hookbundle.tests.mutants.bugs.of_files import FILES
from hookbundle.tests.mutants.bugs.of_history import HISTORY
from hookbundle.tests.mutants.bugs.of_intake import INTAKE
from hookbundle.tests.mutants.bugs.of_pages import PAGES
from hookbundle.tests.mutants.bugs.of_repeating import REPEATING
from hookbundle.tests.mutants.bugs.of_searching import SEARCHES
from hookbundle.tests.mutants.bugs.of_the_client import CLIENT, RECEIVERS
from hookbundle.tests.mutants.bugs.of_the_contract import CONTRACT, EDGE
from hookbundle.tests.mutants.bugs.of_the_loop import LOOP
from hookbundle.tests.mutants.bugs.of_the_store import STORE
from hookbundle.tests.mutants.bugs.of_the_way_out import WAY_OUT
from hookbundle.tests.mutants.bugs.of_time import TIME
from hookbundle.tests.mutants.bugs.replication.of_backups import BACKUPS
from hookbundle.tests.mutants.bugs.replication.of_checks import CHECKS_OF_COPIES
from hookbundle.tests.mutants.bugs.replication.of_commands import CLUSTER_COMMANDS
from hookbundle.tests.mutants.bugs.replication.of_copies import COPIES_OF_NODES, SPLITTING
from hookbundle.tests.mutants.bugs.replication.of_erasing import ERASING
from hookbundle.tests.mutants.bugs.replication.of_faces import CLUSTER_FACES
from hookbundle.tests.mutants.bugs.replication.of_generations import GENERATIONS
from hookbundle.tests.mutants.bugs.replication.of_hostile_callers import HOSTILE_CALLERS
from hookbundle.tests.mutants.bugs.replication.of_log_servers import LOG_SERVERS
from hookbundle.tests.mutants.bugs.replication.of_logs import LOGS
from hookbundle.tests.mutants.bugs.replication.of_long_answers import ENDING, LONG_ANSWERS
from hookbundle.tests.mutants.bugs.replication.of_nights import AT_NIGHT, HANDS_ON
from hookbundle.tests.mutants.bugs.replication.of_nodes import NODES
from hookbundle.tests.mutants.bugs.replication.of_recovery import RECOVERY
from hookbundle.tests.mutants.bugs.replication.of_the_feed import FEED_OF_ALL
from hookbundle.tests.mutants.bugs.replication.of_versions import OF_VERSIONS
from hookbundle.tests.mutants.bugs.replication.of_what_is_left_over import LEFT_OVER
from hookbundle.tests.mutants.bugs.second_looks.of_beats import AT_BEATS
from hookbundle.tests.mutants.bugs.second_looks.of_callers import AT_CALLERS
from hookbundle.tests.mutants.bugs.second_looks.of_places import AT_PLACES
from hookbundle.tests.mutants.bugs.second_looks.of_readers import AT_READERS
from hookbundle.tests.mutants.bugs.second_looks.of_requests import AT_REQUESTS
from hookbundle.tests.mutants.bugs.second_looks.of_times import AT_TIMES
from hookbundle.tests.mutants.bugs.second_looks.of_waits import AT_WAITS
from hookbundle.tests.mutants.bugs.sources.of_console import SOURCE_PAGES
from hookbundle.tests.mutants.bugs.sources.of_evolution import EVOLUTION
from hookbundle.tests.mutants.bugs.sources.of_intake import SOURCE_INTAKE
from hookbundle.tests.mutants.bugs.sources.of_memory import SOURCE_STORAGE
from hookbundle.tests.mutants.bugs.sources.of_meta import META
from hookbundle.tests.mutants.bugs.sources.of_other_kinds import OTHER_KINDS
from hookbundle.tests.mutants.bugs.sources.of_proofs import PROOFS
from hookbundle.tests.mutants.bugs.sources.of_source_commands import SOURCE_COMMANDS
from hookbundle.tests.mutants.bugs.sources.of_trying import SOURCE_TRIALS
from hookbundle.tests.mutants.bugs.sources.of_waha import WAHA_EVENTS
from hookbundle.tests.mutants.bugs.webhooks.of_arrivals import ARRIVALS
from hookbundle.tests.mutants.bugs.webhooks.of_called_pages import CALLED_PAGES
from hookbundle.tests.mutants.bugs.webhooks.of_changes import CHANGES
from hookbundle.tests.mutants.bugs.webhooks.of_choosing import CHOOSING
from hookbundle.tests.mutants.bugs.webhooks.of_filters import FILTERS
from hookbundle.tests.mutants.bugs.webhooks.of_lifetime import LIFETIMES
from hookbundle.tests.mutants.bugs.webhooks.of_merging import MERGE
from hookbundle.tests.mutants.bugs.webhooks.of_pacing import PACING
from hookbundle.tests.mutants.bugs.webhooks.of_presets import PRESETS
from hookbundle.tests.mutants.bugs.webhooks.of_quotas import QUOTA
from hookbundle.tests.mutants.bugs.webhooks.of_receivers import REPEATED_BODIES
from hookbundle.tests.mutants.bugs.webhooks.of_rendered_bodies import RENDERED_BODIES
from hookbundle.tests.mutants.bugs.webhooks.of_requests import REQUESTED
from hookbundle.tests.mutants.bugs.webhooks.of_rules import RULES
from hookbundle.tests.mutants.bugs.webhooks.of_steps import STEPS
from hookbundle.tests.mutants.bugs.webhooks.of_success import SUCCESS
from hookbundle.tests.mutants.bugs.webhooks.of_windows import WINDOWS

MUTANTS = (
    *STORE,
    *KEPT,
    *LOOP,
    *DELIVERIES,
    *HISTORY,
    *REPEATING,
    *RENDERED_BODIES,
    *REPEATED_BODIES,
    *FILES,
    *TIME,
    *RECEIVERS,
    *WAY_OUT,
    *CLIENTS,
    *TOKENS,
    *THE_LANE,
    *SLOW_AND_FAILED_REQUESTS,
    *ANSWERS,
    *COMMANDS,
    *LISTENING,
    *CHECKS,
    *DOCTOR,
    *MAIL_TRIALS,
    *MOVING,
    *STARTING,
    *PAGES,
    *SOURCE_PAGES,
    *SOURCE_TRIALS,
    *INTAKE,
    *CONTRACT,
    *REFERENCE,
    *EDGE,
    *CLIENT,
    *ERRORS,
    *SEARCHES,
    *FILTERS,
    *FORMATS,
    *ARRIVALS,
    *PACING,
    *SUCCESS,
    *CALLED_PAGES,
    *MERGE,
    *LIFETIMES,
    *QUOTA,
    *WINDOWS,
    *RULES,
    *WAHA_EVENTS,
    *EVOLUTION,
    *META,
    *OTHER_KINDS,
    *PROOFS,
    *SOURCE_COMMANDS,
    *SOURCE_INTAKE,
    *SOURCE_STORAGE,
    *CHANGES,
    *STEPS,
    *CHOOSING,
    *PRESETS,
    *SET_FORMATS,
    *REQUESTED,
    *LOGS,
    *LONG_ANSWERS,
    *FEED_OF_ALL,
    *LOG_SERVERS,
    *GENERATIONS,
    *RECOVERY,
    *SPLITTING,
    *BACKUPS,
    *NODES,
    *AT_NIGHT,
    *HANDS_ON,
    *COPIES_OF_NODES,
    *CLUSTER_COMMANDS,
    *LOST_ANSWERS,
    *CLUSTER_FACES,
    *OF_VERSIONS,
    *CHECKS_OF_COPIES,
    *ERASING,
    *ENDING,
    *HOSTILE_CALLERS,
    *LEFT_OVER,
    *AT_BEATS,
    *AT_CALLERS,
    *AT_PLACES,
    *AT_READERS,
    *AT_REQUESTS,
    *AT_TIMES,
    *AT_WAITS,
)
