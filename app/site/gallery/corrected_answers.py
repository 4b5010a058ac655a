"""Template context of the corrections of questions, in place of confusions: letters of two questions are no classes."""

from typing import Any, Final

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category
from app.issues import queries
from app.issues.filter import IssueFilter
from app.site.components.paged_table import table_page
from app.site.components.question_cards import cut, option_name
from app.web.templates import issue_path

#: The corrections that can be paged through here; the gallery has the others.
MOST: Final = 500
#: The corrections of a page.
_ROWS: Final = 40
_LONGEST: Final = 140


def corrections_context(catalogue: Catalogue, dataset: Dataset, f: IssueFilter, page: str) -> dict[str, Any]:
    """The corrected questions of a page with their given and corrected answers, in the order of suspicion.

    Raises FilterError for a page that is not there.
    """
    others = {} if f.agreement == dataset.default_agreement else {"agreement": str(f.agreement)}
    f = IssueFilter(agreement=f.agreement, category=(Category.CORRECTABLE.value,))
    found = queries.issue_page(catalogue, dataset, f, MOST)
    shown = table_page(page, len(found.items), others, _ROWS)
    rows = [
        {
            "href": issue_path(dataset, issue.idx),
            "name": issue.key or str(issue.idx),
            "question": cut(issue.question.text, _LONGEST) if issue.question else f"Example {issue.idx}",
            "given": option_name(issue.question, issue.given),
            "corrected": "" if issue.corrected is None else option_name(issue.question, issue.corrected),
        }
        for issue in found.items[shown.rows]
    ]
    return {
        "rows": rows,
        "page": shown,
        "n_listed": len(found.items),
        "total": found.total,
        "query": f.query(dataset),
    }
