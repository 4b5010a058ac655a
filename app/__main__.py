"""Entry point of ``python -m app``, which is ``label-errors serve``."""

import sys

if __name__ == "__main__":
    from app.serve import main

    sys.exit(main())
