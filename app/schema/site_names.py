"""Reserved first parts of the site's addresses, which no dataset may use as its name.

Datasets have addresses at the root too. The site starts only if each of its routes begins with a reserved name, and
ingest refuses a manifest whose dataset has such a name. Some names are reserved for future pages, because a dataset
published under one of them would have to move.
"""

from typing import Final

SITE_NAMES: Final = frozenset(
    {
        "about",
        "api",
        "badge",
        "disputes",
        "disputes.atom",
        "docs",
        "favicon.ico",
        "figures",
        "healthz",
        "home",
        "media",
        "media-coverage",
        "method",
        "metrics",
        "quiz",
        "reproduction",
        "review",
        "robots.txt",
        "share",
        "sitemap",
        "sitemap.xml",
        "static",
    }
)

#: Columns of files beside which the column of slices stands.
FILE_COLUMNS: Final = frozenset({"answer", "choices", "index", "key", "question"})

#: Names of parameters of a dataset's pages and of the API, which no dataset may give its slices: both stand in one
#: address. Those of columns are refused too.
FILTER_NAMES: Final = FILE_COLUMNS | frozenset(
    {
        "after",
        "agreement",
        "before",
        "category",
        "change",
        "confidence",
        "confidence_from",
        "confidence_to",
        "confidences",
        "confirmed_by",
        "corrected",
        "doubting",
        "fields",
        "find",
        "first",
        "flagged",
        "from",
        "given",
        "guessed",
        "kind",
        "limit",
        "margin",
        "margin_from",
        "margin_to",
        "model",
        "models",
        "multi_label",
        "neither",
        "non_agreement",
        "opinion",
        "opinions",
        "opposed",
        "page",
        "pairs",
        "prevalence",
        "q",
        "reach",
        "removed",
        "rule",
        "scale",
        "second",
        "self_confidence",
        "slice",
        "sort",
        "top",
        "unreviewed",
        "version",
        "votes",
    }
)


def first_name(path: str) -> str:
    """The first part of an address of this site.

    >>> first_name("/api/v1/datasets"), first_name("/{name}/issues"), first_name("/")
    ('api', '{name}', '')
    """
    return path.split("/")[1]
