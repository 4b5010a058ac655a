"""Tables and paragraphs that the commands print on standard output."""

from collections.abc import Sequence

from app.domain.review.estimates import Basis
from ingest.catalogue.store import Media, Stored
from ingest.commands.nouns import counted, number
from ingest.datasets.build import Build
from ingest.manifest.about import Paper
from ingest.media import MediaCountError, MediaProblem, NoMediaError

_PROBLEMS_SHOWN = 20
_ON_BASIS = {
    Basis.COUNTED: "",
    Basis.ESTIMATED: "; the share of errors is estimated from those that were checked",
    Basis.AT_LEAST: "; the share of errors is at least the one found so far",
}


def summary(stored: Sequence[Stored]) -> str:
    """The figures of each dataset beside the paper's, and what could not be read."""
    written = [one for one in stored if not one.kept]
    head = ["dataset", "size", "flagged", "checked", "errors", "% error", "issues", "with medium", "exemplars"]
    lines = [_table(head, [_figures_of(one.build, one.media) for one in written])]
    real = [s.build for s in written if not s.build.inputs.manifest.sample]
    averages = [build.counts.percent_error for build in real if build.counts.percent_error is not None]
    if len(averages) > 1:
        papers = [build.inputs.manifest.paper for build in real]
        printed = [p.percent_error for p in papers if p is not None and p.percent_error is not None]
        beside = f" (paper {sum(printed) / len(printed):.2f})" if printed else ""
        lines.append(f"average over {len(averages)} datasets: {sum(averages) / len(averages):.2f} % error{beside}")
    for one in stored:
        name = one.build.inputs.manifest.name
        if one.kept:
            lines.append(f"{name}: not loaded, so that it keeps the media it has in the catalogue: {one.unread}")
        lines += [f"{name}: {sentence}" for sentence in (*one.missing, *one.notes)]
        if not one.kept:
            lines += [f"{name}: {sentence}" for sentence in review_lines(one.build)]
        if (flagging := one.build.inputs.flagging) is not None:
            lines += [f"{name}: {flagging.beyond_sentence()}"] * (flagging.tolerance is not None)
            lines += [f"{name}: warning: {caution}" for caution in one.build.cautions]
        if one.replaced is not None:
            lines.append(f"{name}: takes the place of {one.replaced}, which the catalogue held under this name")
        if one.rounds:
            lines.append(
                f"{name}: the votes of {', '.join(one.rounds)} are not in the catalogue any more; "
                f"`label-errors review publish {one.rounds[-1]}` brings those back that still fit"
            )
        lines += [f"{name}: {line}" for line in problem_lines(one.problems)]
        if one.spare:
            lines.append(f"{name}: {counted(one.spare, 'file')} left aside, of examples that have a better one")
        lines += map(str, one.models)
    lines += _incomplete([one for one in stored if one.unread is not None])
    return "\n".join(lines)


def review_lines(build: Build) -> list[str]:
    """How many checked examples have a changed guess, and how many flagged ones await review."""
    counts = build.counts
    if not counts.checked:
        return []
    guesses = f"{counts.changed:,} of {counted(counts.checked, 'checked example')}"
    lines = []
    if counts.changed:
        lines.append(f"the model now guesses another label than reviewers were shown for {guesses}; the verdicts stand")
    if counts.waiting or counts.changed:
        wait = "waits" if counts.waiting == 1 else "wait"
        lines.append(f"{counted(counts.waiting, 'flagged example')} {wait} for review{_ON_BASIS[counts.basis]}")
    return lines


def _incomplete(stored: Sequence[Stored]) -> list[str]:
    """The datasets with missing media, by the kind of reason."""
    few = [one.build.inputs.manifest.name for one in stored if isinstance(one.unread, MediaCountError)]
    gone = [one.build.inputs.manifest.name for one in stored if isinstance(one.unread, NoMediaError)]
    unread = [one.build.inputs.manifest.name for one in stored if one.build.inputs.manifest.name not in few + gone]
    lines = []
    if unread:
        lines.append(f"wrong: the media of {', '.join(unread)} could not be read; all else was loaded")
    if few:
        lines.append(f"wrong: the media of {', '.join(few)} are not as many as the labels; all else was loaded")
    if gone:
        lines.append(f"wrong: the media of {', '.join(gone)} were not found; all else was loaded")
    return lines


def problem_lines(problems: Sequence[MediaProblem]) -> list[str]:
    """Damaged media one by one, up to a limit; merely absent ones in one line."""
    damaged = [problem for problem in problems if not problem.absent]
    absent = [problem for problem in problems if problem.absent]
    lines = [str(problem) for problem in damaged[:_PROBLEMS_SHOWN]]
    if len(damaged) > _PROBLEMS_SHOWN:
        lines.append(f"and {len(damaged) - _PROBLEMS_SHOWN:,} more media that are damaged")
    if len(absent) == 1:
        lines.append(str(absent[0]))
    elif absent:
        lines.append(f"{len(absent):,} examples have no medium there; the first is {absent[0]}")
    return lines


def _figures_of(build: Build, media: Media) -> list[str]:
    counts, paper = build.counts, build.inputs.manifest.paper
    return [
        build.inputs.manifest.name,
        _beside(number(build.inputs.size), paper, "size"),
        _beside(number(counts.flagged), paper, "flagged"),
        _beside(number(counts.checked), paper, "checked"),
        _beside(number(counts.errors), paper, "errors"),
        _beside(_share(build), paper, "percent_error"),
        number(len(build.issues)),
        f"{media.issues:,} of {len(build.issues):,}",
        number(media.exemplars),
    ]


def _share(build: Build) -> str:
    """The percentage of errors, with a sign if it is a lower bound."""
    counts = build.counts
    if counts.percent_error is None:
        return "-"
    return f"{'>= ' if counts.basis is Basis.AT_LEAST else ''}{counts.percent_error:.2f}"


def _beside(found: str, paper: Paper | None, figure: str) -> str:
    """A figure with the paper's in brackets."""
    printed = None if paper is None else getattr(paper, figure)
    if printed is None:
        return found
    return f"{found} ({printed:,})" if isinstance(printed, int) else f"{found} ({printed:.2f})"


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  ".join(cells))
    return "\n".join(lines)
