"""`hookbundle`, which at its end gives connections so much time that no busy machine needs more."""

from hookbundle.cli import main
from hookbundle.server.http.sockets import handing_over

if __name__ == "__main__":
    handing_over.FRESH_S = handing_over.IDLE_S = 60.0
    main(prog_name="hookbundle")
