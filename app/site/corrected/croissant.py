"""Describe a corrected test set in Croissant 1.1 (docs.mlcommons.org/croissant), for loaders and search engines.

The description lists the files of one version with their hashes, what they were derived from, and how to cite and use
them.
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from app.catalogue.credit import VerdictCredit, verdict_credit
from app.catalogue.current import current
from app.catalogue.records import Dataset
from app.corrected.blocks import CorrectedTestSet
from app.corrected.formats import Format
from app.errors import Busy
from app.openapi import parameters
from app.site.corrected.downloads import HASHED_AT_ONCE, checksum
from app.site.corrected.request import CorrectedRequest, offered_here, open_request
from app.web.plain_route import PlainRoute
from app.web.urls import base_url

router = APIRouter(
    prefix="/api/v1", tags=["corrected test sets"], responses=parameters.PROBLEMS, route_class=PlainRoute
)

_CONFORMS: Final = "http://mlcommons.org/croissant/1.1"
_COLUMNS: Final = {
    "index": ("sc:Integer", "Index of the example in the original test set, from 0."),
    "key": ("sc:Text", "The dataset's own name of the example."),
    "given": ("sc:Integer", "The label that the original dataset ships, as a class number."),
    "given_name": ("sc:Text", "The name of that class."),
    "corrected": ("sc:Integer", "The label in the corrected test set, as a class number."),
    "corrected_name": ("sc:Text", "The name of that class."),
    "action": ("sc:Text", "What was done: kept, corrected or removed."),
    "category": ("sc:Text", "What reviewers found of the example."),
}
_BENCHMARK: Final = "benchmark.parquet"
_BENCHMARK_COLUMNS: Final = {
    "index": _COLUMNS["index"],
    "question": ("sc:Text", "The question."),
    "choices": ("sc:Text", "Its options."),
    "answer": ("sc:Integer", "The number of the right option in the corrected test set, from 0."),
}
_OF_OPINION: Final = (
    "sc:Text",
    "What a second opinion holds of the given label and the other one: given, guessed, both, other or silent.",
)
_OF_CONFIDENCE: Final = {
    "confidence": ("sc:Float", "The probability that a majority of unlimited raters would make the correction."),
    "probability_right": ("sc:Float", "The probability that the correction is right, learnt from second opinions."),
}
_CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


@router.get(
    "/datasets/{name}/croissant.json",
    summary="Croissant description of the corrected test set",
    response_class=Response,
    openapi_extra=parameters.CROISSANT,
)
def croissant(request: Request, name: str) -> Response:
    """The corrected test set of a policy as Croissant 1.1 JSON-LD: its fields, and this version's files, hashed."""
    taken = open_request(request, name, request.query_params.multi_items())
    with taken.connection:
        hashes = {one.suffix: checksum(request, taken, one) for one in _files(taken)}
    site = base_url(request)
    return Response(orjson.dumps(describe(taken, site, hashes)), media_type="application/ld+json")


@router.get(
    "/versions/{version}/datasets/{name}/croissant.json",
    summary="Croissant description of one version",
    response_class=Response,
    responses=parameters.GONE,
    openapi_extra=parameters.CROISSANT,
)
def croissant_of_version(request: Request, version: str, name: str) -> Response:
    """The same for one version, which never changes."""
    open_request(request, name, request.query_params.multi_items(), version=version).connection.close()
    return croissant(request, name)


def structured_data(request: Request, dataset: Dataset) -> Markup:
    """The description of the paper's policy for a page's head; empty without a corrected test set.

    Hashes are computed once per catalogue; test sets too large for that are described without.
    """
    if not dataset.labels_known or dataset.size is None:
        return Markup("")
    site = base_url(request)

    def make() -> str:
        taken = open_request(request, dataset.name, [])
        with taken.connection:
            hashed = taken.corrected.test_set.size <= HASHED_AT_ONCE
            hashes = {one.suffix: checksum(request, taken, one) if hashed else None for one in _files(taken)}
        return orjson.dumps(describe(taken, site, hashes)).decode()

    try:
        found = current(request).pages.get(("structured data", dataset.id, site), make)
    except Busy:
        # The catalogue file was replaced and cannot be read: the page matters more than its description.
        return Markup("")
    # Inside a script element, "<" is the only character that could end it.
    return Markup(found.replace("<", "\\u003c"))  # noqa: S704 - JSON without "<"


def describe(taken: CorrectedRequest, site: str, hashes: Mapping[str, str | None]) -> dict[str, Any]:
    """The JSON-LD of a corrected test set. A file whose hash is None is described without one."""
    dataset, about = taken.dataset, taken.dataset.about
    verdicts = verdict_credit(dataset)
    policy = ", ".join(f"{key}={value}" for key, value in taken.corrected.wanted.pairs())
    sample = " A sample: its errors are planted and its reviewers are simulated." if dataset.sample else ""
    held = "" if dataset.held_back is None else f" {dataset.held_back.why}"
    nobody = "" if dataset.n_checked else " Nobody has reviewed its labels."
    found = (
        "with the label errors that reviewers found corrected or removed"
        if dataset.n_checked
        else "in which no label is corrected"
    )
    site_itself = {"@type": "sc:Organization", "name": "Label errors", "url": site}
    people = [{"@type": "sc:Person", "name": name} for name in (verdicts.authors if verdicts else ())]
    cite_as = [text.strip() for text in (verdicts and verdicts.bibtex, about.get("bibtex")) if text]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS,
        "name": f"{dataset.name}-corrected",
        "alternateName": f"{dataset.title}, corrected test set",
        "description": f"The test set of {dataset.title} {found}, under the policy {policy}.{nobody}{sample}{held} "
        f"{about.get('summary') or ''}".strip(),
        "url": f"{site}/{dataset.name}/corrected" + (f"?{taken.query}" if taken.query else ""),
        # Croissant requires three numbers; the identifier of this version's content follows them.
        "version": f"1.0.0+{dataset.content_version}",
        "datePublished": dataset.built_at,
        "dateModified": dataset.built_at,
        "license": _licences(dataset, verdicts),
        **({"citeAs": "\n\n".join(cite_as)} if cite_as else {}),
        # If the manifest names no creator, the operator of this site has made the file.
        "creator": people or site_itself,
        "publisher": site_itself,
        "keywords": ["label errors", "test set", "corrected labels", dataset.modality],
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "isLiveDataset": False,
        "prov:wasDerivedFrom": _origins(dataset, verdicts),
        "distribution": [_file(taken, site, one, hashes[one.suffix]) for one in _files(taken)],
        "recordSet": [_splits(), _examples(taken.corrected), *_questions(taken)],
    }


def _files(taken: CorrectedRequest) -> list[Format]:
    """The formats that Croissant can describe; those with real types, from which records are read, come first."""
    return sorted((one for one in offered_here(taken) if one.croissant), key=lambda one: not one.binary)


def _licences(dataset: Dataset, verdicts: VerdictCredit | None) -> list[str]:
    """The licence of the dataset, and that of the verdicts if it differs."""
    own = dataset.about.get("licence") or {}
    found = [own.get("url") or own.get("name") or "unknown"]
    if verdicts is not None and verdicts.licence:
        found.append(verdicts.licence_url or verdicts.licence)
    return list(dict.fromkeys(found))


def _origins(dataset: Dataset, verdicts: VerdictCredit | None) -> list[dict[str, Any]]:
    original: dict[str, Any] = {"@type": "prov:Entity", "prov:label": dataset.title}
    if dataset.about.get("homepage"):
        original["@id"] = dataset.about["homepage"]
    if verdicts is None or verdicts.source is None:
        return [original]
    return [original, {"@type": "prov:Entity", "@id": verdicts.source, "prov:label": "Verdicts of reviewers"}]


def _file(taken: CorrectedRequest, site: str, form: Format, sha256: str | None) -> dict[str, Any]:
    found = {
        "@type": "cr:FileObject",
        "@id": form.suffix,
        "name": taken.file_name(form),
        "description": f"{form.title}: {form.says}.",
        "contentUrl": site + taken.path(form),
        "encodingFormat": form.croissant,
    }
    return found | ({"sha256": sha256} if sha256 else {})


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": ["sc:URL", "cr:TestSplit"]},
        ],
        "data": [{"splits/name": "test", "splits/url": "cr:TestSplit"}],
    }


def _examples(corrected: CorrectedTestSet) -> dict[str, Any]:
    columns = (*_COLUMNS, *corrected.opinion_columns, *corrected.confidence_columns)
    return {
        "@type": "cr:RecordSet",
        "@id": "examples",
        "name": "examples",
        "description": "One record for each example of the corrected test set.",
        "key": {"@id": "examples/index"},
        "field": [_field(corrected, column) for column in columns],
    }


def _field(corrected: CorrectedTestSet, column: str) -> dict[str, Any]:
    described = _COLUMNS.get(column) or _OF_CONFIDENCE.get(column, _OF_OPINION)
    field = _column("examples", column, *described, file="parquet")
    given_is_set, now_is_set = corrected.test_set.multi_label, corrected.sets
    if (column.startswith("given") and given_is_set) or (column.startswith("corrected") and now_is_set):
        field |= {"isArray": True, "arrayShape": "-1"}
    return field


def _questions(taken: CorrectedRequest) -> list[dict[str, Any]]:
    """The records of a benchmark in its own form, where the dataset is one and it may be given out."""
    if all(form.suffix != _BENCHMARK for form in _files(taken)):
        return []
    fields = [_column("questions", name, *told, file=_BENCHMARK) for name, told in _BENCHMARK_COLUMNS.items()]
    choices = next(field for field in fields if field["name"] == "choices")
    choices |= {"isArray": True, "arrayShape": "-1"}
    return [
        {
            "@type": "cr:RecordSet",
            "@id": "questions",
            "name": "questions",
            "description": "One record for each question of the corrected test set, with its options.",
            "key": {"@id": "questions/index"},
            "field": fields,
        }
    ]


def _column(records: str, name: str, kind: str, says: str, *, file: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{records}/{name}",
        "name": name,
        "description": says,
        "dataType": kind,
        "source": {"fileObject": {"@id": file}, "extract": {"column": name}},
    }
