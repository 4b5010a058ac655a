"""A report of a round for the appendix of a paper: method, categories, agreement, raters, exclusions, costs.

Raters stand in it by letters; their names stay with the owner of the round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from string import ascii_uppercase
from typing import Final

from markupsafe import escape

from app.domain.review.agreement.alpha import Alpha
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import ERROR_CATEGORIES, Category
from app.reviews.owner.given_answers import RoundAnswers, answers_of
from app.reviews.owner.rater_figures import RaterFigures, signed
from app.reviews.owner.round_figures import RoundFigures, round_figures
from app.reviews.rounds import Round
from app.reviews.store import Store

_HOUR: Final = 3600
_MINUTE: Final = 60
_STYLE: Final = (
    ":root{color-scheme:light dark;--rule:#8886}body{font:1rem/1.6 Charter,Georgia,serif;margin:0}"
    "main{max-width:46rem;margin:0 auto;padding:clamp(1.5rem,5vw,4rem) 1rem}h1{font-size:1.75rem;line-height:1.25}"
    "h2{font-size:1.25rem;margin:2.25rem 0 .5rem}p{margin:.5rem 0;overflow-wrap:anywhere}div{overflow-x:auto}"
    "table{border-collapse:collapse;margin:1rem 0;font:.875rem/1.5 system-ui,sans-serif;border-top:2px solid;"
    "border-bottom:2px solid}th,td{text-align:left;padding:.375rem 1.25rem .375rem 0;vertical-align:bottom;"
    "border-bottom:1px solid var(--rule)}thead th{border-bottom:1px solid}td.n,th.n{text-align:right}"
    "td{white-space:nowrap;font-variant-numeric:tabular-nums}th:last-child,td:last-child{padding-right:0}"
    "@media print{main{padding:0}}"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the report; numbers stand right."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its paragraphs, and a table if there is one."""

    title: str
    paragraphs: Sequence[str]
    table: Table | None = None


def round_report(store: Store, found: Round) -> list[Section]:
    """The sections of the report of a round."""
    figures, answers = round_figures(store, found), answers_of(store, found)
    return [
        Section("Method", _method(figures, answers)),
        Section("Categories", *_categories(figures)),
        Section("Agreement", _agreement(figures)),
        Section("Raters", *_raters(figures)),
        Section("Exclusions", _exclusions(figures)),
        Section("Costs", _costs(figures, answers)),
    ]


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """The report as Markdown; marks in names and reasons are kept as they were typed."""
    parts = [f"# {_plain(title)}"]
    for section in sections:
        parts.append(f"## {section.title}")
        parts += [_plain(one) for one in section.paragraphs]
        if section.table is not None:
            head, rows = section.table.head, section.table.rows
            lines = [head, tuple("---" if place == 0 else "---:" for place in range(len(head))), *rows]
            parts.append(
                "\n".join(
                    f"| {' | '.join(_plain(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines
                )
            )
    return "\n\n".join(parts) + "\n"


def as_html(title: str, sections: Sequence[Section]) -> str:
    """The report as one HTML page that needs nothing else."""
    parts = []
    for section in sections:
        parts.append(f"<h2>{escape(section.title)}</h2>")
        parts += [f"<p>{escape(one)}</p>" for one in section.paragraphs]
        if section.table is not None:
            head = "".join(_cell("th", place, cell) for place, cell in enumerate(section.table.head))
            rows = "".join(
                f"<tr>{''.join(_cell('td', place, cell) for place, cell in enumerate(row))}</tr>"
                for row in section.table.rows
            )
            table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            parts.append(f'<div tabindex="0" role="region" aria-label="{escape(section.title)}">{table}</div>')
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def _cell(kind: str, place: int, text: str) -> str:
    return f"<{kind}{' class=n' if place else ''}>{escape(text)}</{kind}>"


def _plain(text: str) -> str:
    """A text without what Markdown would take for markup."""
    return " ".join("".join(f"\\{one}" if one in "\\`*_[]<>#" else one for one in text).split())


def _method(figures: RoundFigures, answers: RoundAnswers) -> list[str]:
    one, settings = figures.round, figures.round.settings
    opened = datetime.fromtimestamp(one.opened_at, UTC).date().isoformat()
    stopping = {
        StoppingRule.NEVER: f"Each example was to get {settings.votes} votes.",
        StoppingRule.ERROR: f"Each example was to get up to {settings.votes} votes, until it was settled whether its "
        "label is an error.",
        StoppingRule.CATEGORY: f"Each example was to get up to {settings.votes} votes, until its category was settled "
        f"at every agreement threshold offered ({_listed(settings.agreements)}).",
    }[settings.stop]
    blind = (
        "Raters saw an example beside typical examples of the classes in question. They were not told which class is "
        "the given label, what the model guessed or what others answered; which class stands first was drawn at random "
        "for each rater and example."
    )
    asked = f"{figures.standing.examples:,} examples of {settings.title or one.dataset} were asked about"
    imported, n = sum(one.imported for one in answers.answers), len(answers.answers)
    if imported:
        # Who answered elsewhere may have seen anything: nothing is claimed of it.
        blind = (
            f"{imported:,} of {n:,} answers were given elsewhere and imported; what their raters were shown and told "
            f"is not known here. {blind.replace('Raters', 'The others', 1) if imported < n else ''}"
        ).strip()
    found = [f"{asked} ({settings.chosen or 'chosen by the owner'}), from {opened} on. {blind} {stopping}"]
    if settings.reviewers:
        found.append(f"Reviewers: {settings.reviewers}.")
    if settings.instructions:
        found.append(f"Instructions: {settings.instructions}")
    if settings.gold:
        share = f"{100 * settings.gold:.3g} %"
        found.append(f"{share} of the tasks were examples whose answer is known; they are not counted.")
    return found


def _categories(figures: RoundFigures) -> tuple[list[str], Table]:
    settings, by_error = figures.round.settings, figures.round.settings.stop is StoppingRule.ERROR
    kinds = [Category.NON_ERROR, *(one for one in ERROR_CATEGORIES if (one is Category.NOT_ASKED) is by_error)]
    head = ("Category", *(f"{at} of {settings.votes}" for at in figures.categories))
    rows = [
        (kind.value.replace("_", "-"), *(f"{counts.get(kind, 0):,}" for counts in figures.categories.values()))
        for kind in kinds
    ]
    of = f"{figures.settled:,} of {figures.standing.examples:,} examples have votes enough for a category"
    return [f"{of}; by the number of reviewers who must agree:"], Table(head, rows)


def _agreement(figures: RoundFigures) -> list[str]:
    found = [_alpha(figures.alpha)]
    if figures.settled and figures.weighed.examples:
        found.append(
            "Weighing votes by how often each rater seems to err (Dawid and Skene, 1979) puts "
            f"{len(figures.otherwise):,} of {figures.settled:,} examples into another category than counting them does."
        )
    worst = [one for one in figures.pairs if one.share is not None][:5]
    if worst:
        named = "; ".join(f"{one.first} or {one.second} ({one.divided:,} of {one.examples:,})" for one in worst)
        found.append(f"Raters were most divided between: {named}.")
    return found


def _alpha(alpha: Alpha) -> str:
    on = f"{alpha.votes:,} votes on {alpha.examples:,} examples"
    if alpha.value is None:
        return f"Krippendorff's alpha of {on} is not defined."
    interval = ""
    if alpha.interval is not None:
        low, high = alpha.interval
        interval = f" (95 % interval {low:.3f} to {high:.3f}, bootstrap over examples)"
    return f"Krippendorff's alpha (nominal) of {on} is {alpha.value:.3f}{interval}."


def _raters(figures: RoundFigures) -> tuple[list[str], Table]:
    head = ("Rater", "Votes", "Seconds (median)", "Agreement", "Beyond chance", "Side (a)", "Known answers", "Repeats")
    rows = []
    for place, one in enumerate(figures.raters):
        counts, beside = one.counts, one.with_others
        rows.append(
            (
                rater_letter(place) + (" (excluded)" if one.excluded else ""),
                f"{one.votes:,}",
                "–" if one.seconds is None else f"{one.seconds:.1f}",
                "–" if beside.share is None else f"{100 * beside.share:.0f} %",
                "–" if beside.kappa is None else signed(beside.kappa),
                f"{counts.n_a:,} of {counts.n_a + counts.n_b:,}",
                f"{counts.gold_right:,} of {counts.gold:,}" if counts.gold else "–",
                f"{counts.repeats_same:,} of {counts.repeats:,}" if counts.repeats else "–",
            )
        )
    n = sum(one.votes > 0 for one in figures.raters)
    return [f"{n:,} raters voted."], Table(head, rows)


def rater_letter(place: int) -> str:
    """What a rater is called in the report: A to Z, then AA, AB and so on.

    >>> rater_letter(0), rater_letter(25), rater_letter(26)
    ('A', 'Z', 'AA')
    """
    text, n = "", place + 1
    while n:
        n, rest = divmod(n - 1, len(ascii_uppercase))
        text = ascii_uppercase[rest] + text
    return text


def _exclusions(figures: RoundFigures) -> list[str]:
    def said(place: int, one: RaterFigures) -> str:
        return f"Rater {rater_letter(place)} ({one.votes:,} votes) was excluded: {one.why or 'no reason was given'}."

    found = [said(place, one) for place, one in enumerate(figures.raters) if one.excluded]
    return found or ["No rater was excluded."]


def _costs(figures: RoundFigures, answers: RoundAnswers) -> list[str]:
    taken = [one.seconds for one in answers.answers if one.seconds is not None]
    n, votes = len(answers.answers), figures.standing.votes
    if not n:
        return ["No answer was given."]
    found = f"{n:,} answers were given, of which {votes:,} count as votes"
    if len(taken) == n:
        found += f", in {_hours(sum(taken))} of raters' time."
    elif taken:
        found += f". How long it took is known of {len(taken):,} of them: {_hours(sum(taken))} of raters' time."
    else:
        found += ". How long they took is not known."
    if figures.settled:
        found += f" An example with a category has {figures.settled_votes / figures.settled:.2f} of them on average."
    if figures.round.settings.stop is not StoppingRule.NEVER:
        found += f" Stopping early saved {figures.saved:,} votes."
    return [found]


def _hours(seconds: float) -> str:
    """A time in hours or, below one, in minutes.

    >>> _hours(9000), _hours(600), _hours(20)
    ('2.5 hours', '10 minutes', '20 seconds')
    """
    if seconds >= _HOUR:
        return f"{seconds / _HOUR:.1f} hours"
    return f"{seconds / _MINUTE:.0f} minutes" if seconds >= 2 * _MINUTE else f"{seconds:.0f} seconds"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
