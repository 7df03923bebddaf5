"""Bugs to plant, one at a time, and the tests that are expected to notice.

A battery of tests is worth what it catches. Each mutant is a mistake somebody might make, as an
exact change of the product's text, so that it fails loudly when that text has moved on.
"""

from hookbundle.tests.mutants.of_deliveries import DELIVERIES
from hookbundle.tests.mutants.of_receivers import RECEIVERS
from hookbundle.tests.mutants.of_the_store import STORE
from hookbundle.tests.mutants.of_time import TIME

MUTANTS = (*STORE, *DELIVERIES, *TIME, *RECEIVERS)
