"""Entry point of ``python -m ingest``."""

import os
import sys

from app.evaluation.blas_threads import bound

if __name__ == "__main__":
    bound(os.environ)  # before numpy is loaded
    try:
        from ingest.commands.main import main

        status = main()
    except KeyboardInterrupt:
        # Interrupted while modules were still being loaded.
        print("interrupted; nothing half-built was kept", file=sys.stderr)
        status = 130
    sys.exit(status)
