"""``label-errors review links``: names that tell raters apart, and addresses of a site."""

import json

import pytest

from ingest.commands.main import main
from tests.app.site.review.rounds import review


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["Ada", ""], "--name: expected the name of a rater, found ''"),
        ([" \t"], "--name: expected the name of a rater, found ' \\t'"),
        (["Ada", "Ada "], "--name: expected each name once, found 'Ada' twice"),
        (["Grace", "Ann"], "has a rater 'Ann' already"),
    ],
)
def test_a_name_tells_one_rater_from_all_others(catalogue, digits, refused, names, says):
    review(catalogue, "links", digits, "--name", "Ann")
    error = refused("links", digits, *(part for name in names for part in ("--name", name)))
    assert says in error
    assert "1 rater," in review(catalogue, "status", digits)


def test_an_ambiguous_name_is_revoked_by_the_id_that_the_error_tells(catalogue, digits, refused):
    review(catalogue, "links", digits, "--name", "Ann")
    review(catalogue, "links", digits, "--revoke", "Ann")
    review(catalogue, "links", digits, "--name", "Ann")
    error = refused("links", digits, "--revoke", "Ann")
    codes = error.rpartition("expected one of: ")[2].split(", ")
    assert len(codes) == 2
    assert "the link of Ann is no longer accepted" in review(catalogue, "links", digits, "--revoke", codes[1].strip())


def test_numbered_raters_get_names_that_nobody_has(catalogue, digits):
    review(catalogue, "links", digits, "--name", "rater 2")
    told = json.loads(review(catalogue, "links", digits, "--raters", "2", "--json"))["links"]
    assert [one["rater"] for one in told] == ["rater 3", "rater 4"]
    review(catalogue, "forget", digits, "rater 3", "--votes")
    told = json.loads(review(catalogue, "links", digits, "--raters", "2", "--json"))["links"]
    assert [one["rater"] for one in told] == ["rater 3", "rater 5"]


@pytest.mark.parametrize(
    "base", ["labels.example", "ftp://labels.example", "http://", "https://h:x", "http://h/?a=1", "javascript:alert(1)"]
)
def test_links_need_the_address_of_a_site(catalogue, digits, capsys, base):
    with pytest.raises(SystemExit) as stopped:
        main(["review", "links", digits, "--base", base, "--catalogue", str(catalogue)])
    assert stopped.value.code == 2
    assert "expected the address of the site, http://HOST or https://HOST" in capsys.readouterr().err


def test_a_page_to_answer_without_a_server_is_for_somebody(digits, refused, tmp_path):
    error = refused("offline", digits, "--rater", " \t", "--out", str(tmp_path / "page.html"))
    assert "--rater: expected the name of a rater, found ' \\t'" in error
    assert not (tmp_path / "page.html").exists()
