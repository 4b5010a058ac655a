"""Find the files installed with the program: templates, static files, data and documentation.

In a checkout or an editable install they are folders beside the packages; in a wheel ``setup.py`` puts them into
``app``. Modules that read them ask here, so they are found whatever the working directory is.
"""

from pathlib import Path
from typing import Final

_APP: Final = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    # The one in ``app`` first: beside an installed package, a folder of that name may belong to anyone.
    inside = _APP / name
    return inside if inside.is_dir() else _APP.parent / name


TEMPLATES: Final = _folder("templates")
STATIC: Final = _folder("static")
DATA: Final = _folder("data")
DOCS: Final = _folder("docs")
