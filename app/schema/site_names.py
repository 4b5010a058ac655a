"""What the site's own addresses begin with: names that no dataset can have, because datasets stand at the root too.

The site starts only where each of its routes begins with one of them, and a manifest that takes one is refused. Some
are kept for pages to come: a dataset that was published under one would have to move.
"""

from typing import Final

SITE_NAMES: Final = frozenset(
    {
        "about",
        "api",
        "docs",
        "favicon.ico",
        "figures",
        "healthz",
        "media",
        "media-coverage",
        "method",
        "metrics",
        "quiz",
        "reproduction",
        "review",
        "robots.txt",
        "sitemap.xml",
        "static",
    }
)


def first_name(path: str) -> str:
    """What an address of this site begins with.

    >>> first_name("/api/v1/datasets"), first_name("/{name}/issues"), first_name("/")
    ('api', '{name}', '')
    """
    return path.split("/")[1]
