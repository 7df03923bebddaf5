"""The program with a limit of open files.

python -m hookbundle.tests.daemon.machine.limited FILES ARGUMENTS...
"""

import resource
import sys

from hookbundle import cli
from hookbundle.tests.program import PROGRAM

if __name__ == "__main__":
    most = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    sys.argv[:] = [PROGRAM, *sys.argv[2:]]
    cli.main(prog_name="hookbundle")
