"""Pictures, badges and site maps, drawn or listed when they are asked for."""

import re
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from markupsafe import escape
from sqlalchemy import select

from app.catalogue.current import Catalogue, current
from app.catalogue.open_file import require_reader
from app.catalogue.records import Dataset
from app.catalogue.table_row import QUESTION
from app.errors import FilterError, NotFound
from app.issues import queries
from app.issues.reviewed.issue_at import issue_at
from app.schema import tables
from app.site.components.captions import label_name
from app.site.components.finding import finding_text
from app.site.docs.library import library
from app.site.docs.markdown import INDEX, address
from app.site.quiz.quiz_items import offers_quiz, questions
from app.site.share.badges import badge, summary
from app.site.share.pictures import Caption, picture
from app.web.plain_route import PlainRoute
from app.web.templates import counted
from app.web.urls import base_url

router = APIRouter(include_in_schema=False, route_class=PlainRoute)

#: Addresses in one file of the site map, at most (sitemaps.org).
MOST_ADDRESSES: Final = 50_000
_PAGES: Final = (
    "/", "/figures", "/method", "/about", "/api", "/docs", "/reproduction", "/media-coverage", "/disputes", "/quiz",
)  # fmt: skip
#: Classes of a dataset that are listed there, if it has no more.
MOST_CLASSES: Final = 1_000
#: Pages of a dataset that has models.
_OF_MODELS: Final = ("/stability", "/stability/prevalence", "/stability/pair", "/stability/repeated")
_XML: Final = "application/xml"
_SVG: Final = "image/svg+xml"
_ACCURACY: Final = re.compile(r"(100|\d{1,2})(\.\d{1,2})?", re.ASCII)


@router.get("/share/home.png")
def home_picture(request: Request) -> Response:
    """The picture of the home page: an error, as on the page itself."""
    require_reader()
    catalogue = current(request)
    datasets = [d for d in catalogue.datasets.values() if not d.sample] or list(catalogue.datasets.values())
    errors, checked = sum(d.n_errors for d in datasets), sum(d.n_checked for d in datasets)
    said = _found_in(errors, len(datasets)) if checked else "Label errors in test sets"
    return _png(picture(Caption("The test is wrong", "wrong", said)))


def _found_in(errors: int, datasets: int) -> str:
    """What the picture of the home page says.

    >>> _found_in(1, 1), _found_in(5_000, 11)
    ('1 label error found in 1 dataset', '5,000 label errors found in 11 datasets')
    """
    return f"{counted(errors, 'label error')} found in {counted(datasets, 'dataset')}"


@router.get("/share/{name}.png")
def dataset_picture(request: Request, name: str) -> Response:
    """The picture of a dataset: how many of its labels are wrong, and its most telling example."""
    require_reader()
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    issues = queries.telling_issues(catalogue, dataset, 1)
    example = _example(catalogue, dataset, issues[0].idx) if issues else None
    words = Caption(
        f"{dataset.title}: {summary(dataset)}", None, counted(dataset.size, "example") if dataset.size else ""
    )
    return _png(picture(words, example))


@router.get("/share/{name}/{index}.png")
def issue_picture(request: Request, name: str, index: str) -> Response:
    """The picture of an issue: what was found, beside the example if its licence lets it be shown."""
    require_reader()
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    detail = issue_at(catalogue, dataset, index, dataset.default_agreement)
    place = detail.issue.idx
    words = Caption(
        finding_text(dataset, detail.issue), label_name(detail.issue.given), f"{dataset.title}, example {place}"
    )
    return _png(picture(words, _example(catalogue, dataset, place)))


@router.get("/badge/{name}.svg")
def dataset_badge(request: Request, name: str) -> Response:
    """A badge with the label errors of a dataset; with ``original`` and ``corrected``, with a model's accuracies."""
    dataset = queries.dataset_named(current(request), name)
    params = request.query_params
    if "original" in params or "corrected" in params:
        before, after = (_accuracy(key, params.get(key, "")) for key in ("original", "corrected"))
        return Response(badge(f"{dataset.title} accuracy", f"{before} → {after} corrected"), media_type=_SVG)
    return Response(badge(f"{dataset.title} test set", summary(dataset)), media_type=_SVG)


def _accuracy(name: str, value: str) -> str:
    if not _ACCURACY.fullmatch(value) or float(value) > 100:
        raise FilterError(name, value, [], f"{name} is {value[:40]!r}; expected per cent from 0 to 100, such as 76.1.")
    return value


@router.get("/sitemap.xml")
def sitemap(request: Request) -> Response:
    """The index of the site maps: one of pages, and for every dataset as many as its issues need."""
    site = base_url(request)
    files = [f"{site}/sitemap/pages.xml"]
    for dataset in current(request).datasets.values():
        parts = -(-dataset.n_issues // MOST_ADDRESSES)
        files += [f"{site}/sitemap/{quote(dataset.name)}/{part}.xml" for part in range(parts)]
    return _xml("sitemapindex", "sitemap", files)


@router.get("/sitemap/pages.xml")
def sitemap_of_pages(request: Request) -> Response:
    """The pages of the site and of its datasets, issues apart."""
    require_reader()
    site, catalogue = base_url(request), current(request)
    datasets = catalogue.datasets.values()
    of_datasets = [f"/{quote(d.name)}{tail}" for d in datasets for tail in _tails(d)]
    of_classes = [f"/{quote(d.name)}/classes/{c.id}" for d in datasets if _has_class_pages(d) for c in d.classes]
    of_docs = [address(name) for name in library() if name != INDEX]
    quizzes = [f"/quiz/{quote(d.name)}" for d in datasets if offers_quiz(d) and questions(catalogue, d, 1)]
    paths = (*_PAGES, *of_docs, *quizzes, *of_datasets, *of_classes)
    return _xml("urlset", "url", [f"{site}{path}" for path in paths])


def _tails(dataset: Dataset) -> list[str]:
    """The pages of a dataset: those that its tabs lead to, and what stands behind these."""
    there = {
        "": True,
        "/classes": dataset.modality != QUESTION,
        "/confusions": True,
        "/corrected": True,
        "/changes": True,
        "/disputes": True,
        "/slices": bool(dataset.about.get("slices")),
        "/ranks": dataset.ranked,
        "/map": dataset.ranked and dataset.confident_learning is not None,
        "/opinions": bool(dataset.opinions.sources),
        **dict.fromkeys(_OF_MODELS, bool(dataset.n_models)),
        "/evaluate": dataset.labels_known and not dataset.multi_label and dataset.held_back is None,
    }
    return [tail for tail, is_there in there.items() if is_there]


def _has_class_pages(dataset: Dataset) -> bool:
    """Whether its classes are listed in the site map: not where there are too many for anyone to look through."""
    return dataset.modality != QUESTION and len(dataset.classes) <= MOST_CLASSES


@router.get("/sitemap/{name}/{part}.xml")
def sitemap_of_issues(request: Request, name: str, part: str) -> Response:
    """The pages of a dataset's issues, in the order of the test set."""
    require_reader()
    catalogue = current(request)
    dataset = queries.dataset_named(catalogue, name)
    parts = -(-dataset.n_issues // MOST_ADDRESSES)
    if not (part.isascii() and part.isdecimal() and len(part) < 6 and int(part) < parts):
        raise NotFound(f"The site map of {dataset.title} has {counted(parts, 'part')}; there is no part {part[:20]!r}.")
    i = tables.issues.c
    asked = select(i.idx).where(i.dataset_id == dataset.id).order_by(i.idx)
    found = catalogue.connection.execute(asked.limit(MOST_ADDRESSES).offset(int(part) * MOST_ADDRESSES)).scalars()
    begin = f"{base_url(request)}/{quote(dataset.name)}/issues/"
    return _xml("urlset", "url", [f"{begin}{index}" for index in found])


def _xml(root: str, item: str, addresses: list[str]) -> Response:
    entries = "\n".join(f"<{item}><loc>{escape(address)}</loc></{item}>" for address in addresses)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return Response(f"{text}{entries}\n</{root}>\n", media_type=_XML)


def _png(data: bytes) -> Response:
    return Response(data, media_type="image/png")


def _example(catalogue: Catalogue, dataset: Dataset, index: int) -> bytes | None:
    """An example's picture; None if it has none here, or its licence does not let visitors see it."""
    for kind in ("image", "thumbnail"):
        found = queries.medium(catalogue, dataset, index, kind)
        if found is not None:
            return found.data
    return None
