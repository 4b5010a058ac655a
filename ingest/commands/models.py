"""The work and the output of the commands ``benchmarks``, ``evaluate`` and ``reproduce``.

Their arguments are defined in ``commands.main``.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app.domain.ranking.accuracy import KINDS
from app.domain.ranking.evidence import stuck
from app.evaluation.crossings import in_words
from app.evaluation.evaluate import evaluate, target_of
from app.evaluation.opinions.paper_claims import compare_claims
from app.evaluation.paper_figures import Comparison, Outcome, compare
from app.evaluation.prediction_files import read_predictions
from app.evaluation.prediction_rows import UploadError
from app.evaluation.predictions_store import NotMeasurableError, read_subject
from app.evaluation.redux_figures import compare_redux
from app.evaluation.tables.class_spelling import ClassesAre
from ingest.catalogue.models import add_models
from ingest.catalogue.open import open_catalogue
from ingest.errors import DataError, IngestError, MissingFileError
from ingest.progress import Progress

_SETS: Final = {
    "all": "all examples D",
    "pruned": "pruned set P",
    "benign": "benign set B",
    "correctable": "correctable set C",
}
#: As sizes name the sets.
_LETTERS: Final = {"all": "D", "pruned": "P", "benign": "B", "correctable": "C"}
_KINDS: Final = {
    "original_top1": "original@1",
    "corrected_top1": "corrected@1",
    "original_top5": "original@5",
    "corrected_top5": "corrected@5",
}
_EXAMPLES_SHOWN: Final = 20


def benchmarks_report(folder: Path, dataset: str | None, catalogue: Path, wait: float, progress: Progress) -> str:
    """Read models' predictions into a catalogue and report what it now holds."""
    return "\n".join(map(str, add_models(folder, dataset, catalogue, wait=wait, progress=progress)))


def evaluation_report(
    name: str,
    file: Path,
    agreement: int | None,
    catalogue: Path,
    *,
    as_json: bool,
    classes_are: ClassesAre | None = None,
) -> str:
    """Evaluate a file of predictions against a dataset of a catalogue. Raises IngestError."""
    if not file.is_file():
        raise MissingFileError(file, "expected a file of predictions, found none")
    with open_catalogue(catalogue) as connection:
        try:
            subject = read_subject(connection, name)
        except NotMeasurableError as error:
            raise IngestError(str(error)) from error
        if agreement is not None and agreement not in subject.agreements:
            offered = ", ".join(map(str, subject.agreements))
            raise IngestError(f"{subject.title} has agreement thresholds {offered}; found {agreement}")
        target = target_of(connection, subject, classes_are)
        try:
            ranked = read_predictions(file, file.name, target)
        except UploadError as error:
            raise DataError(file, str(error)) from error
        found = evaluate(connection, subject, target, ranked, agreement or subject.agreements[0])
    return json.dumps(found, indent=1) if as_json else _told(subject.title, subject.raters, found)


def reproduction_report(catalogue: Path) -> tuple[str, bool]:
    """Every published figure beside the computed one, and whether some were compared and all expected matches hold."""
    with open_catalogue(catalogue) as connection:
        found = [part for one in (compare, compare_claims, compare_redux) for part in one(connection)]
    lines = [_line(one) for one in found if one.outcome is not Outcome.NOT_LOADED]
    absent = Counter((one.table, one.reason) for one in found if one.outcome is Outcome.NOT_LOADED)
    for (table, reason), n in absent.items():
        lines.append(f"NOT LOADED {table}: {n} figure{'s' if n > 1 else ''}. {reason}")
    counts = Counter(one.outcome for one in found)
    lines.append(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome))
    compared = counts[Outcome.NOT_LOADED] < len(found)
    if not compared:
        lines.append(
            "nothing was compared: no dataset of the paper is in this catalogue; the command release loads them"
        )
    return "\n".join(lines), compared and counts[Outcome.BROKEN] == 0


def _line(one: Comparison) -> str:
    line = f"{one.outcome.upper():8} {one.table:4} {one.subject}: {one.figure}: {one.published} published"
    if one.computed != one.published:
        line += f", {one.computed} here"
    said = [sentence for sentence in (one.reason, one.note) if sentence]
    return line + (f". {' '.join(said)}" if said else "")


def _told(title: str, raters: int, found: Mapping[str, Any]) -> str:
    sizes = found["sizes"]
    judged = "as one expert judged" if raters == 1 else f"at {found['agreement']} of {raters} votes"
    lines = [
        f"{title} {judged}: "
        + ", ".join(f"|{letter}| = {n:,}" for letter, n in sizes.items())
        + f", noise prevalence {found['noise_prevalence']:.2%}",
        *_silent(found["no_answer"], sizes["D"]),
        *_like_for_like(found),
        "",
    ]
    rows = [["accuracy in per cent, 95 % interval", *_KINDS.values()]]
    for part, words in _SETS.items():
        of_set = found["accuracy"][part]
        rows.append([words, *(_accuracy(of_set[kind], of_set["intervals"][kind]) for kind in KINDS)])
    lines += _table(rows)
    ranked = {part: ranks for part, ranks in found["ranks"].items() if any(ranks.values())}
    if ranked:
        rows = [["rank among the stored models", *_KINDS.values()]]
        for part, ranks in ranked.items():
            n = sizes[_LETTERS[part]]
            rows.append([_SETS[part], *(_rank(ranks[kind], n) for kind in KINDS)])
        lines += ["", *_table(rows)]
    if found["crossings"]:
        lines += ["", "crossings:"]
        lines += [
            f"  {one['kind'].partition('_')[0]:9} {in_words(one['first'], one['second'], one['noise_prevalence'])}, "
            f"accuracy {one['accuracy']:.2%}{_sure(one)}"
            for one in found["crossings"]
        ]
    return "\n".join(lines + _changes(found["changes"], sizes["C"]))


def _like_for_like(found: Mapping[str, Any]) -> list[str]:
    """The effect of correcting labels on one set of examples, and separately the effect of leaving some out."""
    accuracy, sizes, effects = found["accuracy"], found["sizes"], found["effects"]
    on_p, on_d = accuracy["pruned"], accuracy["all"]
    if effects["correcting"] is None:
        return []
    if not sizes["C"] and not sizes["U"]:
        return [f"no label is corrected or left out: {on_d['original_top1']:.2%} by the given labels"]
    lines = [
        f"on the {sizes['P']:,} examples of P: {on_p['original_top1']:.2%} by the given labels, "
        f"{on_p['corrected_top1']:.2%} with {sizes['C']:,} corrected ({_points(effects['correcting'])})"
    ]
    if sizes["U"]:
        lines.append(
            f"on all {sizes['D']:,} examples: {on_d['original_top1']:.2%} by the given labels; leaving out the "
            f"{sizes['U']:,} of unknown label alone changes it by {_points(effects['leaving_out'])}"
        )
    return lines


def _silent(n: int, of: int) -> list[str]:
    return [f"{n:,} of {of:,} answers are none, or name no option, and count as wrong"] if n else []


def _points(effect: float) -> str:
    return f"{100 * effect:+.2f} points"


def _changes(changes: Mapping[str, Any], n: int) -> list[str]:
    if not n:
        return []
    lines = [
        "",
        f"of the {n:,} corrected examples {changes['gained']:,} are right only by the corrected label, "
        f"{changes['lost']:,} only by the given one; {changes['neither']:,} are wrong by both",
    ]
    for one in changes["examples"][:_EXAMPLES_SHOWN]:
        sign = "+" if one["change"] == "gained" else "-"
        name = f" {one['key']}" if one["key"] else ""
        lines.append(
            f"  {sign} {one['index']}{name}: given {one['given']['name']}, corrected {one['corrected']['name']}, "
            f"predicted {one['predicted']['name']}"
        )
    more = len(changes["examples"]) - _EXAMPLES_SHOWN
    return lines + ([f"  and {more:,} more; --json has them all"] if more > 0 else [])


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines: the first column left-aligned, the others right-aligned, as wide as their cells.

    >>> _table([["set", "rank"], ["D", "1 of 2, 2 tied"]])
    ['set            rank', 'D    1 of 2, 2 tied']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        row[0].ljust(widths[0]) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]


def _sure(crossing: Mapping[str, Any]) -> str:
    if crossing["interval"] is None:
        return ""
    low, high = crossing["interval"]
    return f" (in {crossing['share']:.0%} of resampled test sets, between {low:.1%} and {high:.1%})"


def _accuracy(value: float | None, interval: Sequence[float] | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{100 * value:.2f} [{100 * interval[0]:.1f}, {100 * interval[1]:.1f}]"


def _rank(rank: Mapping[str, Any] | None, n: int) -> str:
    if rank is None:
        return "-"
    interval = rank["interval"]
    sure = "" if interval is None or stuck(n, interval) else f" [{interval[0]}, {interval[1]}]"
    tied = f", {len(rank['tied_with']) + 1} tied" if rank["tied_with"] else ""
    return f"{rank['rank']} of {rank['of']}{sure}{tied}"
