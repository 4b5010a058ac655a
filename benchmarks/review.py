"""The published votes of the ten datasets, given again over HTTP: the same categories, and how many votes a rule saves.

``python -m benchmarks.review RELEASE`` builds a catalogue from a clone of the release, takes the votes out, opens a
round over the reviewed examples of each dataset, and answers it through the raters' API as the paper's raters did,
each example in an order of its own. Then the votes are published, and the categories at 3, 4 and 5 must be those from
the release's files. Under a stopping rule the mean number of votes must lie within three standard errors of the mean
over all orders. ``--sample K`` takes K examples a dataset; all of them take about an hour.
"""

import argparse
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from app.domain.review.stopping import Choice, Stopping, StoppingRule
from app.domain.review.verdicts import Answer
from ingest.commands.main import main as command
from tests.app.domain.review.orders import votes_until_settled
from tests.app.site.review.release_votes import Replay, Voted, published_votes, verdicts, without_votes
from tests.app.site.review.rounds import review
from tests.serving import serving

DATASETS = (
    "mnist", "20news", "cifar10", "audioset", "amazon", "imdb", "cifar100", "caltech256", "quickdraw", "imagenet",
)  # fmt: skip
RULES = {
    "never": ((), Stopping(StoppingRule.NEVER, 5, 3, (3, 4, 5))),
    "error": (("--stop", "error"), Stopping(StoppingRule.ERROR, 5, 3, (3,))),
    "category at 3": (("--stop", "category"), Stopping(StoppingRule.CATEGORY, 5, 3, (3,))),
    "category at 3, 4, 5": (
        ("--stop", "category", "--agreement", "3", "--agreement", "4", "--agreement", "5"),
        Stopping(StoppingRule.CATEGORY, 5, 3, (3, 4, 5)),
    ),
}


def expected(dataset: str, voted: Sequence[Voted], how: Stopping) -> tuple[float, float] | None:
    """The mean number of votes over all orders and its standard error in one replay; None for sets of labels."""
    if voted[0].is_set:
        return None
    means, variances = 0.0, 0.0
    for one in voted:
        cast: dict[Answer, int] = {}
        for answer in one.answers:
            meant: Answer = answer.word if answer.classes is None else frozenset(answer.classes)
            cast[meant] = cast.get(meant, 0) + answer.n
        eligible = frozenset(one.answers[1].classes or ()) if dataset == "amazon" else None
        mean, variance = votes_until_settled(Choice(one.given[0], tuple(cast), eligible), cast, how)
        means, variances = means + mean, variances + variance
    return means / len(voted), math.sqrt(variances) / len(voted)


def replay(base: str, bare: Path, full: Path, dataset: str, rule: str, sample: int | None) -> bool:
    """Replay a dataset under a rule and print what came of it; whether all is as expected."""
    options, how = RULES[rule]
    voted = [one for one in published_votes(full, dataset) if not one.nothing_to_ask]
    if sample is not None and sample < len(voted):
        voted = random.Random(0).sample(voted, sample)
    began = time.perf_counter()
    name, n = Replay(base, bare, dataset, voted, seed=len(rule)).run(*options)
    seconds = time.perf_counter() - began
    review(bare, "publish", name)
    indices = {one.idx for one in voted}
    known = {key: value for key, value in verdicts(full, dataset).items() if key[0] in indices}
    now = {key: value for key, value in verdicts(bare, dataset).items() if key[0] in indices}
    if how.rule is StoppingRule.ERROR:
        same = all((value[0] == "non_error") == (known[key][0] == "non_error") for key, value in now.items())
        same &= {value[0] for value in now.values()} <= {"non_error", "not_asked"}
    else:
        same = now == {key: value for key, value in known.items() if key[1] in how.agreements}
    counts = Counter(category for (_, agreement), (category, _) in now.items() if agreement == 3)
    mean, within = n / len(voted), True
    line = f"{dataset:<11} {rule:<20} {len(voted):>6,} examples {mean:.3f} votes"
    if (exact := expected(dataset, voted, how)) is not None:
        away = (mean - exact[0]) / exact[1] if exact[1] else (mean - exact[0]) * 1e9
        within = abs(away) <= 3
        line += f", expected {exact[0]:.3f} ({away:+.1f} standard errors)"
    told = ", ".join(f"{count:,} {category}" for category, count in sorted(counts.items()))
    print(f"{line}; {told}; {n / seconds:.0f} votes a second{'' if same and within else '  WRONG'}", flush=True)
    return same and within


def main() -> int:
    """Replay datasets and rules; 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", type=Path, help="a clone of github.com/cleanlab/label-errors")
    parser.add_argument("--dataset", action="append", choices=DATASETS, help="only this one; repeatable")
    parser.add_argument("--rule", action="append", choices=list(RULES), help="only this one; repeatable")
    parser.add_argument("--sample", type=int, metavar="K", help="so many examples of each dataset, at random")
    parser.add_argument("--catalogue", type=Path, help="the release as a catalogue, if it was built before")
    arguments = parser.parse_args()
    right = True
    with tempfile.TemporaryDirectory() as folder:
        full = arguments.catalogue or Path(folder) / "release.sqlite"
        if arguments.catalogue is None and command(["release", str(arguments.release), "--catalogue", str(full)]):
            return 1
        for rule in arguments.rule or RULES:
            # A store and a catalogue of its own for each rule: a dataset offers what all its rounds offer.
            place = Path(folder) / rule.replace(" ", "-")
            place.mkdir()
            bare = without_votes(full, place / "catalogue.sqlite")
            with serving(bare, serve_reviews=True, review_requests_a_minute=0) as base:
                for dataset in arguments.dataset or DATASETS:
                    right &= replay(base, bare, full, dataset, rule, arguments.sample)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
