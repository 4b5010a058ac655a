"""The report of a round says what its figures say, names nobody, and takes what people typed for text."""

import re

from app.domain.review.stopping import StoppingRule
from app.reviews.elsewhere.vote_import import ImportedVote, import_votes
from app.reviews.owner.exclusions import exclude
from app.reviews.owner.given_answers import answers_of
from app.reviews.owner.round_figures import round_figures
from app.reviews.owner.round_report import as_html, as_markdown, round_report
from tests.app.reviews.making import opened_round
from tests.app.reviews.owner.simulated import work

REASON = "always <b>a</b> | *never* b"


def reported(store):
    found = opened_round(store, 30, agreements=(3, 4), reviewers="Students <3", instructions="Look *twice*.")
    raters = work(store, found)
    exclude(store, found, raters["Always"], REASON)
    return found, round_report(store, found)


def test_it_has_the_figures(store):
    found, sections = reported(store)
    figures = round_figures(store, found)
    text = as_markdown("Reviews", sections)
    assert f"is {figures.alpha.value:.3f} (95 % interval" in text
    assert re.search(r"\| Category \| 3 of 5 \| 4 of 5 \|", text)
    for section in ("Method", "Categories", "Agreement", "Raters", "Exclusions", "Costs"):
        assert f"## {section}\n" in text
    assert "150 answers were given, of which 120 count as votes" in text
    assert "Rater D (30 votes) was excluded: always" in text
    assert "30 examples of pets were asked about" in text
    assert "0 of 0" not in text, "nothing was asked twice, and no answer was known"


def test_times_that_nobody_measured_are_not_told(store):
    """Votes of a file may come without times: they did not take 0.0 hours."""
    found = opened_round(store, 30)
    import_votes(store, found, [ImportedVote(idx, "Dora", "cat", f"line {idx}") for idx in range(30)])
    text = as_markdown("R", round_report(store, found))
    assert "30 answers were given, of which 30 count as votes. How long they took is not known." in text
    work(store, found)
    text = as_markdown("R", round_report(store, found))
    assert "150 answers were given, of which 150 count as votes. How long it took is known of 120 of them" in text
    assert "6 minutes of raters' time." in text


def test_votes_an_example_are_those_of_examples_with_a_category(store):
    """Votes on examples that are open again were divided among those that are not: more than five an example."""
    found = opened_round(store, 30, stop=StoppingRule.CATEGORY, agreements=(3,))
    raters = work(store, found)
    exclude(store, found, raters["Coin"], "coin")
    exclude(store, found, raters["Always"], "always a")
    settled = [
        one
        for one in answers_of(store, found).voted()
        if one.question.fewest_more(one.meanings, found.settings.stopping) == 0
    ]
    assert 0 < len(settled) < 30
    mean = sum(len(one.votes) for one in settled) / len(settled)
    assert f"An example with a category has {mean:.2f} of them on average." in as_markdown(
        "R", round_report(store, found)
    )


def test_what_is_not_known_of_imported_votes_is_not_claimed(store):
    """Who answered in another tool may have seen the given label."""
    found = opened_round(store, 30)
    import_votes(store, found, [ImportedVote(idx, "Dora", "cat", f"line {idx}") for idx in range(30)])
    text = as_markdown("R", round_report(store, found))
    assert "30 of 30 answers were given elsewhere and imported" in text
    assert "They were not told" not in text
    work(store, found)
    text = as_markdown("R", round_report(store, found))
    assert "30 of 150 answers were given elsewhere and imported" in text
    assert "The others saw an example beside typical examples" in text


def test_nobody_is_named(store):
    _, sections = reported(store)
    for text in (as_markdown("R", sections), as_html("R", sections)):
        assert not re.search(r"Ann|Ben|Cleo|Coin", text)


def test_what_was_typed_is_text(store):
    _, sections = reported(store)
    html = as_html("<i>R</i>", sections)
    assert "<b>" not in html
    assert "<i>" not in html
    assert "always &lt;b&gt;a&lt;/b&gt;" in html
    assert "src=" not in html
    assert "href=" not in html
    assert r"\*never\*" in as_markdown("R", sections)


def test_an_empty_round_has_a_report(store):
    found = opened_round(store)
    text = as_markdown("R", round_report(store, found))
    assert "is not defined" in text
    assert "No answer was given." in text
