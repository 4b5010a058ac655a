"""``python -m ingest``."""

import sys

if __name__ == "__main__":
    try:
        from ingest.commands import main

        status = main()
    except KeyboardInterrupt:
        # While modules were still being loaded.
        print("interrupted; nothing half-built was kept", file=sys.stderr)
        status = 130
    sys.exit(status)
