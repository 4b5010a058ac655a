"""Template context of the corrections of questions, in place of confusions: letters of two questions are no classes."""

from typing import Any, Final

from app.catalogue.current import Catalogue
from app.catalogue.records import Dataset
from app.domain.review.verdicts import Category
from app.issues import queries
from app.issues.filter import IssueFilter
from app.site.components.question_cards import cut, option_name
from app.web.templates import issue_path

#: The corrections that the page lists; the gallery has the others.
MOST: Final = 500
_LONGEST: Final = 140


def corrections_context(catalogue: Catalogue, dataset: Dataset, agreement: int) -> dict[str, Any]:
    """Every corrected question with its given and its corrected answer, in the order of suspicion."""
    f = IssueFilter(agreement=agreement, category=(Category.CORRECTABLE.value,))
    page = queries.issue_page(catalogue, dataset, f, MOST)
    rows = [
        {
            "href": issue_path(dataset, issue.idx),
            "name": issue.key or str(issue.idx),
            "question": cut(issue.question.text, _LONGEST) if issue.question else f"Example {issue.idx}",
            "given": option_name(issue.question, issue.given),
            "corrected": "" if issue.corrected is None else option_name(issue.question, issue.corrected),
        }
        for issue in page.items
    ]
    return {"rows": rows, "total": page.total, "query": f.query(dataset)}
