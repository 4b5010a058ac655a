"""``python -m app``: serve the site."""

import sys

from app.serve import main

if __name__ == "__main__":
    sys.exit(main())
