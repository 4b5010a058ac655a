"""The names that the site's addresses take: no page without one, no dataset with one."""

from pathlib import Path

import pytest

from app import main
from app.schema.site_names import SITE_NAMES
from app.settings import Settings
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
