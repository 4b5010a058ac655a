"""The names that the site's addresses take: no page without one, no dataset with one."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from app import main
from app.schema.site_names import FILE_COLUMNS, FILTER_NAMES, SITE_NAMES
from app.settings import Settings
from app.site.stability.parameters import Choice
from ingest.errors import ManifestError
from ingest.manifest.parse import DATASETS, read_manifest

MANIFEST = (DATASETS / "mnist.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(name for name in SITE_NAMES if "." not in name))
def test_no_dataset_can_have_one(name: str, tmp_path: Path) -> None:
    file = tmp_path / "dataset.toml"
    file.write_text(MANIFEST.replace('name = "mnist"', f'name = "{name}"', 1), encoding="utf-8")
    with pytest.raises(
        ManifestError, match=f"name: expected one that no address of the site's own takes, found '{name}'"
    ):
        read_manifest(file)


def test_those_of_pages_to_come_are_kept() -> None:
    assert {"docs", "figures", "quiz", "review", "sitemap.xml"} <= SITE_NAMES


@pytest.mark.parametrize("name", ["media-coverage", "static", "robots.txt"])
def test_a_page_whose_name_a_dataset_could_have_stops_the_start(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "SITE_NAMES", SITE_NAMES - {name})
    with pytest.raises(LookupError, match=f"/{name} is not in app.schema.site_names"):
        main.create_app(Settings(catalogue=tmp_path / "none.sqlite"))


def _of_the_api() -> set[str]:
    """The parameters that the API documents for addresses of a dataset."""
    paths = main.create_app(Settings()).openapi()["paths"]
    return {
        parameter["name"]
        for path, methods in paths.items()
        if "{name}" in path
        for method in methods.values()
        for parameter in method.get("parameters", [])
        if parameter["in"] == "query"
    }


def _of_pages() -> set[str]:
    """The parameters that pages of a dataset take out of an address by name."""
    found = set()
    for room in DATASET_PAGES:
        for file in (Path(main.__file__).parent / "site" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr="get", value=whose), args=[ast.Constant(value=str(name)), *_]
                    ):
                        if ast.unparse(whose) in ("params", "request.query_params"):
                            found.add(name)
    return found


#: Those of the site's rooms whose pages are about one dataset.
DATASET_PAGES = ("by_rank", "corrected", "evaluate", "gallery", "issue", "opinions", "slices", "stability")


def test_no_slice_is_called_like_a_parameter() -> None:
    """A column of slices and a parameter stand in one address, so none of what is read there may be a column's name."""
    charts = {one.name for one in fields(Choice)} - {"models"} | {"model"}
    read = _of_the_api() | _of_pages() | charts
    assert {"subject", "doubting", "opinion", "pairs", "scale"} & read == {"doubting", "opinion", "pairs", "scale"}
    assert read | FILE_COLUMNS == FILTER_NAMES
    assert {"index", "key", "question", "choices", "answer"} == FILE_COLUMNS


@pytest.mark.parametrize("name", ["doubting", "opinion", "rule", "scale", "question"])
def test_a_slice_called_so_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "dataset.toml"
    file.write_text(MANIFEST.replace("modality =", f'slice = "{name}"\nmodality =', 1), encoding="utf-8")
    with pytest.raises(ManifestError, match=f"slice: expected a name that no other filter .* found '{name}'"):
        read_manifest(file)
