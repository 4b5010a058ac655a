"""Bring the votes of rounds into the catalogue: its dataset is written anew, in one step, from the catalogue alone.

The files that a dataset was built from are not needed. A round asks about issues only, which the catalogue holds, so
votes, verdicts, counts and what depends on them are all that changes; models keep their predictions. Publishing a round
again gives the same.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Row, and_, delete, exists, func, insert, select, update

from app.domain.review.estimates import estimated_errors
from app.domain.review.stopping import StoppingRule
from app.domain.review.verdicts import NO_VOTES, Category, error_or_not
from app.evaluation.predictions_store import read_models
from app.reviews.disputes.moderation import Result
from app.reviews.ratings import shelf_names, tallies
from app.reviews.rounds import Round
from app.reviews.store import Store
from app.schema import tables
from app.schema.facet_tables import facets, pack_unreviewed, unreviewed
from app.schema.prediction_report import guesses_changed, report_of
from app.schema.votes import votes, weighed_verdicts
from ingest.catalogue.atomic_file import replacing_catalogue
from ingest.catalogue.change_log import enter_versions
from ingest.catalogue.models import carry_over
from ingest.catalogue.opinions.restate import restate
from ingest.catalogue.opinions.store_confidence import store_confidence
from ingest.catalogue.reviews.ballots_of_rounds import Counted, ballot_of, counted, options_of
from ingest.catalogue.reviews.dispute_log import results_of, write_log
from ingest.catalogue.reviews.fitting import Fitting, issues_of
from ingest.catalogue.reviews.rater_agreement import measure_agreement
from ingest.catalogue.reviews.round_facts import people, round_facts, stand_for_all
from ingest.catalogue.reviews.round_items import dataset_row
from ingest.catalogue.reviews.weighed import write_weighed
from ingest.datasets.facts import compact
from ingest.datasets.suspects.sort_orders import by_disagreement, disagreement
from ingest.errors import CatalogueError
from ingest.labels.ballots import Ballot, Verdict
from ingest.progress import Progress

_ROWS_AT_A_TIME: Final = 2_000
_IDS_AT_A_TIME: Final = 500


@dataclass(frozen=True)
class Published:
    """What was published: examples with votes, and the errors there are now.

    ``left_out`` lack votes for a verdict, ``changed`` are not what was asked about any more: another given label, other
    classes, or no issue now. ``dropped`` are thresholds that the dataset offered before, and a round does not.
    """

    examples: int
    left_out: int
    changed: int
    errors: int
    raters: int
    dropped: Sequence[int] = ()
    disputes: Mapping[int, Result] = field(default_factory=dict)  # what the round made of them, by their ids
    at: float = 0.0


def publish(
    store: Store, found: Round, earlier: Sequence[Round], catalogue: Path, *, wait: float, progress: Progress
) -> Published:
    """Publish a round, with the rounds of the same dataset that were published before.

    Votes on what is no longer as it was asked about are left out. Raises CatalogueError where nothing can be published;
    the catalogue is unchanged.
    """
    rounds = sorted({one.id: one for one in (*earlier, found)}.values(), key=lambda one: one.id)
    with replacing_catalogue(catalogue, [], wait=wait, say=progress.say) as connection:
        dataset = dataset_row(connection, found.dataset)
        fitting = Fitting(connection, dataset)
        asked = {one.name: tallies(store, one) for one in rounds}
        kept = {one.name: fitting.kept(asked[one.name], shelf_names(store, one)) for one in rounds}
        given = counted([(one, kept[one.name]) for one in rounds])
        n_examples = {one.name: sum(one.name in those.rounds for those in given.values()) for one in rounds}
        n_settled = n_examples[found.name]
        changed = len(asked[found.name]) - len(kept[found.name])
        if not n_settled:
            raise CatalogueError(_nothing_to_publish(found, changed))
        facts = [round_facts(one, n_examples[one.name], len(people(store, one))) for one in rounds]
        models = read_models(connection, dataset.id)
        writer = _VotesWriter(connection, dataset, rounds)
        errors = writer.write(given, facts)
        restate(connection, dataset.name, fresh=True)
        store_confidence(connection, dataset.id)
        carry_over(connection, dataset.name, models, progress)
        enter_versions(connection, catalogue, [dataset.name], progress)
        decided = {idx for idx, those in given.items() if found.name in those.rounds}
        disputed = results_of(connection, store, found, decided)
        now = store.clock()
        write_log(connection, store, disputed, found, now)
    n_raters = next(one["raters"] for one in facts if one["name"] == found.name)
    left_out = len(kept[found.name]) - n_settled
    return Published(n_settled, left_out, changed, errors, n_raters, writer.dropped, disputed, now)


def _nothing_to_publish(found: Round, changed: int) -> str:
    because = f"; {changed:,} have another given label now than was asked about" if changed else ""
    return f"{found.name}: expected examples with votes enough for a verdict, found none{because}"


class _VotesWriter:
    """Writes votes into the dataset of an open catalogue."""

    def __init__(self, connection: Connection, dataset: Row[Any], rounds: Sequence[Round]) -> None:
        self._connection = connection
        self._dataset = dataset
        self._rounds = rounds
        self._raters = rounds[-1].settings.votes
        c, s = tables.classes.c, tables.label_sets.c
        classes = connection.execute(select(c.class_id, c.name).where(c.dataset_id == dataset.id))
        self._names: dict[int, str] = {row.class_id: row.name for row in classes}
        sets = connection.execute(select(s.label_id, s.members).where(s.dataset_id == dataset.id))
        self._labels: dict[tuple[int, ...], int] = {tuple(json.loads(row.members)): row.label_id for row in sets}
        if dataset.n_checked and dataset.raters != self._raters:
            raise CatalogueError(f"{dataset.name} has votes of {dataset.raters} raters an example, not {self._raters}")
        self._agreements = self._offered()
        before = json.loads(dataset.agreements) if dataset.n_checked else []
        self.dropped = [one for one in before if one not in self._agreements]

    def write(self, given: Mapping[int, Counted], told: Sequence[Mapping[str, Any]]) -> int:
        """Write the votes, all that follows from them, and what is ``told`` of the rounds: the number of errors now."""
        dataset = self._dataset
        asked = [one.tally for one in given.values()]
        options = options_of(json.loads(dataset.vote_options), asked, reviewed=bool(dataset.n_checked))
        issues = issues_of(self._connection, dataset.id, list(given))
        ballots = {
            issues[idx].id: (one, ballot_of(one.tally, options, self._raters, self._names))
            for idx, one in given.items()
        }
        self._write_votes(ballots)
        by_issue = {issue_id: one for issue_id, (one, _) in ballots.items()}
        weighed = write_weighed(self._connection, dataset.id, by_issue, self._names, self._label)
        self._keep_offered()
        self._order()
        self._count()
        n_errors = self._facts(options, told)
        measure_agreement(self._connection, dataset.id, weighed=weighed)
        return n_errors

    def _offered(self) -> list[int]:
        """The thresholds that all rounds offer, and the dataset's earlier votes."""
        least = [set(one.settings.agreements) for one in self._rounds]
        if self._dataset.n_checked:
            least.append(set(json.loads(self._dataset.agreements)))
        found = sorted(set.intersection(*least))
        if not found:
            raise CatalogueError(
                f"{self._dataset.name}: expected an agreement threshold that all votes offer, found none"
            )
        return found

    def _label(self, members: tuple[int, ...]) -> int:
        """The id of a label set, a new one if there was none."""
        if members not in self._labels:
            label = max(self._labels.values(), default=-1) + 1
            row = {"dataset_id": self._dataset.id, "label_id": label, "members": compact(members)}
            self._connection.execute(insert(tables.label_sets), [row])
            self._labels[members] = label
        return self._labels[members]

    def _write_votes(self, ballots: Mapping[int, tuple[Counted, Ballot]]) -> None:
        ids = list(ballots)
        for start in range(0, len(ids), _IDS_AT_A_TIME):
            for table in (votes, tables.verdicts):
                self._connection.execute(delete(table).where(table.c.issue_id.in_(ids[start : start + _IDS_AT_A_TIME])))
        for issue_id, (counts, ballot) in ballots.items():
            self._write_one(issue_id, counts, ballot)

    def _write_one(self, issue_id: int, counts: Counted, ballot: Ballot) -> None:
        guessed, here = counts.tally.question.guessed, tables.issues.c.id == issue_id
        values = {
            "votes": compact(dict(ballot.counts)),
            "vote_pattern": ballot.pattern,
            "consensus": ballot.consensus,
            "shown": None if guessed is None else self._label(guessed),
        }
        self._connection.execute(update(tables.issues).where(here).values(**values))
        of_issue = {"issue_id": issue_id, "dataset_id": self._dataset.id}
        rows = [
            {
                **of_issue,
                "position": place,
                "option": vote.option,
                "word": vote.word,
                "classes": None if vote.classes is None else compact(vote.classes),
                "n": vote.n,
            }
            for place, vote in enumerate(ballot.votes)
        ]
        self._connection.execute(insert(votes), rows)
        for agreement in self._agreements:
            verdict = ballot.verdict(agreement)
            if counts.how.rule is StoppingRule.ERROR:
                verdict = Verdict(error_or_not(verdict.category), None)
            row = {
                **of_issue,
                "agreement": agreement,
                "category": verdict.category.value,
                "corrected": None if verdict.corrected is None else self._label(verdict.corrected),
                "several": compact(verdict.agreed) if verdict.category is Category.MULTI_LABEL else None,
            }
            self._connection.execute(insert(tables.verdicts), [row])

    def _keep_offered(self) -> None:
        """Verdicts at thresholds that a round which stopped early cannot offer are gone."""
        v = tables.verdicts.c
        gone = (v.dataset_id == self._dataset.id, v.agreement.not_in(self._agreements))
        self._connection.execute(delete(tables.verdicts).where(*gone))

    def _order(self) -> None:
        """Number the issues anew by how divided reviewers are."""
        i, v = tables.issues.c, votes.c
        spread: dict[int, list[int]] = {}
        rows = self._connection.execute(select(v.issue_id, v.n).where(v.dataset_id == self._dataset.id))
        for row in rows:
            spread.setdefault(row.issue_id, []).append(row.n)
        issues = self._connection.execute(
            select(i.id, i.vote_pattern).where(i.dataset_id == self._dataset.id).order_by(i.idx)
        ).all()
        entropies = [self._entropy(spread.get(row.id), in_names=row.vote_pattern is None) for row in issues]
        places = by_disagreement(np.array(entropies))
        statement = "UPDATE issues SET by_disagreement = ? WHERE id = ?"
        pairs = [(int(place), int(row.id)) for place, row in zip(places, issues, strict=True)]
        for start in range(0, len(pairs), _ROWS_AT_A_TIME):
            self._connection.exec_driver_sql(statement, pairs[start : start + _ROWS_AT_A_TIME])

    def _entropy(self, counts: list[int] | None, *, in_names: bool) -> float:
        if counts is None:
            return float("nan")
        return disagreement([(n, max(0, self._raters - n)) for n in counts] if in_names else [tuple(counts)])

    def _count(self) -> None:
        """Count the cells of all facets anew."""
        i, v, f, here = tables.issues.c, tables.verdicts.c, facets, self._dataset.id
        for table in (facets, unreviewed):
            self._connection.execute(delete(table).where(table.c.dataset_id == here))
        by = (v.agreement, v.category, i.given, i.guessed, v.corrected, i.vote_pattern, i.flagged)
        joined = tables.issues.join(tables.verdicts, v.issue_id == i.id)
        cells = select(i.dataset_id, *by, func.count()).select_from(joined)
        cells = cells.where(i.dataset_id == here, v.agreement.in_(self._agreements)).group_by(i.dataset_id, *by)
        self._connection.execute(insert(f).from_select([*f.columns.keys()], cells))
        self._count_unreviewed()

    def _count_unreviewed(self) -> None:
        i, v = tables.issues.c, tables.verdicts.c
        by = (i.given, i.guessed, i.flagged)
        nobody = ~exists().where(v.issue_id == i.id)
        cells = select(*by, func.count().label("n")).where(i.dataset_id == self._dataset.id, nobody)
        rows = self._connection.execute(cells.group_by(*by).order_by(*by)).all()
        if rows:
            names = (*(column.name for column in by), "n")
            columns = dict(zip(names, np.array(rows, np.int64).T, strict=True))
            row = {"dataset_id": self._dataset.id, **pack_unreviewed(columns)}
            self._connection.execute(insert(unreviewed), [row])

    def _facts(self, options: Sequence[str], told: Sequence[Mapping[str, Any]]) -> int:
        """Count issues and errors anew, and say who reviewed; returns the number of errors."""
        dataset, i, v = self._dataset, tables.issues.c, tables.verdicts.c
        least = self._agreements[0]
        joined = tables.issues.join(tables.verdicts, and_(v.issue_id == i.id, v.agreement == least))
        wanted = select(i.idx, i.flagged, v.category, i.guessed, i.shown).select_from(joined)
        rows = self._connection.execute(wanted.where(i.dataset_id == dataset.id)).all()
        errors = [row for row in rows if Category(row.category).is_error]
        seen = ((row.idx, row.shown, row.guessed) for row in rows if None not in (row.guessed, row.shown))
        changed = guesses_changed(report_of(dataset.prediction_report), seen)
        flagged_errors, flagged = sum(row.flagged for row in errors), sum(row.flagged for row in rows)
        beside = len(errors) - flagged_errors
        found = (dataset.n_flagged or 0, flagged, flagged_errors, beside)
        alike = not changed and stand_for_all(self._connection, dataset.id, least, flagged)
        estimated = estimated_errors(*found, same_model=alike)
        percent = None if estimated is None or dataset.size is None else 100 * estimated / dataset.size
        values = {
            "n_checked": len(rows),
            "n_errors": len(errors),
            "n_guesses_changed": changed,
            "estimated_errors": estimated,
            "percent_error": percent,
            "agreements": compact(self._agreements),
            "raters": self._raters,
            "vote_options": compact(options),
            "about": compact(json.loads(dataset.about) | {"rounds": told}),
            "missing": compact([one for one in json.loads(dataset.missing) if one != NO_VOTES]),
            "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": self._version(options),
        }
        here = tables.datasets.c.id == dataset.id
        self._connection.execute(update(tables.datasets).where(here).values(**values))
        return len(errors)

    def _version(self, options: Sequence[str]) -> str:
        """A name for the content: the same files, votes and verdicts give the same name."""
        i, s, v, w = tables.issues.c, tables.sources.c, tables.verdicts.c, weighed_verdicts.c
        digest = hashlib.sha256(f"{tables.SCHEMA_VERSION} votes {list(options)} {self._raters}\n".encode())
        here = self._dataset.id
        for statement in (
            select(s.role, s.path, s.sha256).where(s.dataset_id == here).order_by(s.path),
            select(i.idx, i.given, i.guessed, i.shown, i.flagged, i.votes).where(i.dataset_id == here).order_by(i.id),
            select(v.issue_id, v.agreement, v.category, v.corrected, v.several)
            .where(v.dataset_id == here)
            .order_by(v.issue_id, v.agreement),
            select(w.issue_id, w.category, w.corrected, w.several, w.shares)
            .where(w.issue_id.between(*tables.issue_id_range(here)))
            .order_by(w.issue_id),
        ):
            for row in self._connection.execute(statement):
                digest.update(f"{tuple(row)}\n".encode())
        return digest.hexdigest()[:16]
