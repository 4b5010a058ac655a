"""Recognise files that operating systems add to folders, which are never examples."""

import re
from pathlib import PurePosixPath
from typing import Final

#: Folders in macOS archives, on network storage and on Windows drives.
_FOLDERS: Final = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found"})
#: Thumbnail caches, folder settings, lock files of office programs, backups of editors.
_FILES: Final = re.compile(r"(?:thumbs|ehthumbs|ehthumbs_vista)\.db|desktop\.ini|icon\r|~\$.*|.*~", re.DOTALL)


def is_of_the_system(name: str) -> bool:
    r"""Whether a path is hidden or a system file: any part begins with a dot, or it is a file like ``Thumbs.db``.

    >>> is_of_the_system("cat/._1.png"), is_of_the_system("__MACOSX/cat/1.png"), is_of_the_system("cat/1.png")
    (True, True, False)
    """
    parts = PurePosixPath(name).parts
    if any(part.startswith(".") for part in parts) or not parts:
        return True
    folded = [part.casefold() for part in parts]
    return not _FOLDERS.isdisjoint(folded) or _FILES.fullmatch(folded[-1]) is not None
