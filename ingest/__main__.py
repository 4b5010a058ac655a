"""``python -m ingest``."""

import sys

from ingest.commands import main

sys.exit(main())
