"""Fonts for the browser of tests, so that a layout does not depend on those that a machine happens to have.

DejaVu is what a bare Debian has, and among the widest there are: what fits in it fits in the fonts that the style sheet
names first.
"""

import os
from pathlib import Path

#: Name -> the files it consists of. With ``serif`` even ``sans-serif`` and ``monospace`` are a serif font.
FONTS = {
    "dejavu": (
        "DejaVuSans.ttf",
        "DejaVuSans-Bold.ttf",
        "DejaVuSansMono.ttf",
        "DejaVuSansMono-Bold.ttf",
        "DejaVuSerif.ttf",
        "DejaVuSerif-Bold.ttf",
    ),
    "serif": ("DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf"),
}
#: Generic name of CSS -> the family that a fontconfig without wishes of its own takes for it.
_GENERIC = {"sans-serif": "DejaVu Sans", "serif": "DejaVu Serif", "monospace": "DejaVu Sans Mono"}
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")


def _file(name: str) -> Path:
    for folder in _FOLDERS:
        for found in Path(folder).expanduser().rglob(name):
            return found
    raise FileNotFoundError(
        f"Browser tests need the DejaVu fonts, and there is no {name} below {', '.join(_FOLDERS)}. "
        "Install them (Debian: `apt-get install fonts-dejavu-core`)."
    )


def only(name: str, folder: Path) -> dict[str, str]:
    """An environment for a browser that has the fonts of this name and no others; ``folder`` keeps them.

    Raises FileNotFoundError saying what to install.
    """
    fonts = folder / "fonts"
    fonts.mkdir(parents=True)
    for file in FONTS[name]:
        (fonts / file).symlink_to(_file(file))
    aliases = "".join(
        f"<alias><family>{generic}</family><prefer><family>{family if name == 'dejavu' else 'DejaVu Serif'}</family>"
        "</prefer></alias>"
        for generic, family in _GENERIC.items()
    )
    config = folder / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{fonts}</dir><cachedir>{folder / 'cache'}</cachedir>{aliases}</fontconfig>",
        encoding="utf-8",
    )
    return {**os.environ, "FONTCONFIG_FILE": str(config)}
