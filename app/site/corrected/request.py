"""Parse a request for a corrected test set: its dataset, version, policy and ETag.

It reads the request and the catalogue and writes nothing. Every error of such a request is raised here.
"""

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fastapi import Request
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.catalogue import version_log
from app.catalogue.access import is_public, may_show, notice
from app.catalogue.current import Catalogue
from app.catalogue.open_file import CatalogueReplacedError, budget_of, require_reader
from app.catalogue.reader_threads import ReadTask
from app.catalogue.records import Dataset
from app.corrected import blocks, original_test_set
from app.corrected.blocks import CorrectedTestSet
from app.corrected.formats import DoesNotFitError, Format, offered
from app.corrected.original_test_set import NotLoadedError, TestSet
from app.corrected.policy import ExportOptions, PolicyError, parse
from app.domain.review.corrections import Policy, Rule
from app.errors import Busy, FilterError, Gone, InReview, NotFound, NotInCatalogue, NotOffered
from app.issues import queries
from app.issues.filter_parameters import no_agreement
from app.site.components.file_stream import steady
from app.web.server.path_prefix import here


@dataclass(frozen=True, eq=False, slots=True)
class CorrectedRequest:
    """A parsed request. ``connection`` belongs to this request and is closed by its user."""

    catalogue: Catalogue
    dataset: Dataset
    corrected: CorrectedTestSet
    connection: Connection
    seconds: float  # the longest time between two pieces of a file

    def steady(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces of a file; raises CatalogueReplacedError for one read while the catalogue was written to."""
        return steady(self.catalogue, self.connection, self.seconds, pieces)

    def go_on(self, times: int = 1) -> None:
        """Give the next read a new time limit, or ``times`` as much time."""
        budget_of(self.connection).last(times * self.seconds)

    @property
    def query(self) -> str:
        """The canonical query string of the policy."""
        return self.corrected.wanted.query(self.dataset.default_agreement)

    def tag(self, program: str, form: Format) -> str:
        """The ETag: it names the dataset's version, the program that writes, the format and the policy.

        It is weak if the answer may be compressed when sent, and strong if parts of it can be requested.
        """
        number = zlib.crc32(f"{self.dataset.name} {form.suffix} {self.query}".encode())
        weak = "" if form.binary else "W/"
        return f'{weak}"{self.dataset.content_version}-{program}-{number:08x}"'

    def path(self, form: Format) -> str:
        """The address that will always answer with these bytes or not at all."""
        query = "?" + self.query if self.query else ""
        version = self.dataset.content_version
        return f"/api/v1/versions/{version}/datasets/{self.dataset.name}/corrected.{form.suffix}{query}"

    def file_name(self, form: Format) -> str:
        """A file name that contains the policy."""
        wanted, plain = self.corrected.wanted, ExportOptions(type(self.corrected.wanted.policy)())
        ours = [pair for pair in wanted.pairs() if pair not in plain.pairs() and pair[0] != "agreement"]
        words = "".join(f"-{name}-{value}" for name, value in ours if name != "rule")
        at = f"{wanted.policy.agreement}-of-{self.dataset.raters}"
        rule = wanted.policy.rule
        by = at if rule is Rule.VOTES else rule.value.replace("_", "-")
        held = self.dataset.held_back
        without = "" if held is None else f"-without-{held.examples}-in-review"
        return f"{self.dataset.name}-corrected-{by}{words}{without}.{form.suffix}"


def open_request(
    request: Request,
    name: str,
    pairs: Iterable[tuple[str, str]],
    *,
    form: Format | None = None,
    version: str | None = None,
    also: tuple[str, ...] = (),
    removed: bool = True,
) -> CorrectedRequest:
    """Parse a request and open a connection for it.

    Raises NotFound for an unknown dataset or version, Gone for a former version, FilterError for an invalid policy, and
    NotInCatalogue if the catalogue lacks what the policy or the format needs.
    """
    catalogue, connection = opened(request)
    try:
        # Labels are for everyone; the questions of a benchmark only as far as its licence lets them be shown.
        dataset = replace(queries.dataset_named(catalogue, name), restricted=is_public(request.scope))
        if version is not None and version != dataset.content_version:
            raise _not_this_version(request, connection, dataset, version)
        found = corrected_set(catalogue, dataset, pairs, connection, form=form, also=also, removed=removed)
        return CorrectedRequest(catalogue, dataset, found, connection, request.app.state.settings.read_seconds)
    except BaseException:
        connection.close()
        raise


def offered_here(taken: CorrectedRequest) -> list[Format]:
    """The formats that the corrected test set fits into, and that its licence allows to give out here."""
    return [form for form in offered(taken.corrected) if _may_have(taken.dataset, form)]


def _may_have(dataset: Dataset, form: Format) -> bool:
    return not form.holds_media or may_show(dataset, "text")


def opened(request: Request, *, public: bool = False) -> tuple[Catalogue, Connection]:
    """The newest catalogue and a connection to it for long reads in another thread; the caller closes it.

    ``public`` opens it as everyone may see it.
    """
    require_reader()
    reader: ReadTask | None = getattr(request.state, "reader", None)
    for _ in range(3):
        catalogue: Catalogue = request.app.state.catalogue.get(public=public)
        catalogue.require_intact()
        try:
            connection = catalogue.open()
        except (CatalogueReplacedError, SQLAlchemyError):
            continue
        request.state.read_from = catalogue
        if reader is not None:
            reader.attach(connection)
        return catalogue.over(connection), connection
    raise Busy(
        "The data of this site are being replaced, and too many requests still read the previous ones; try again soon."
    )


def corrected_set(
    catalogue: Catalogue,
    dataset: Dataset,
    pairs: Iterable[tuple[str, str]],
    connection: Connection,
    *,
    form: Format | None = None,
    also: tuple[str, ...] = (),
    removed: bool = True,
) -> CorrectedTestSet:
    """The corrected test set of a policy, cached while the catalogue is the current one.

    ``removed`` says whether listing removed examples may be requested, ``also`` names parameters that others read.
    """
    listed = removed and (form is None or form.lists_rows)
    wanted = wanted_of(pairs, dataset, removed=listed, also=also)
    try:
        whole = known(catalogue, dataset, connection)

        def make() -> CorrectedTestSet:
            require_reader()
            return blocks.corrected(connection, whole, wanted)

        found = catalogue.corrected.get((dataset.id, wanted), make)
        if form is not None:
            form.require_fit(found)
            if not _may_have(dataset, form):
                raise DoesNotFitError(f"{notice(dataset) or ''} The other formats have the labels without them.")
        return found
    except (NotLoadedError, DoesNotFitError) as error:
        raise NotInCatalogue(str(error)) from error
    except PolicyError as error:
        raise NotOffered(error.parameter, error.value, error.allowed, str(error)) from error


def wanted_of(
    pairs: Iterable[tuple[str, str]], dataset: Dataset, *, removed: bool = True, also: tuple[str, ...] = ()
) -> ExportOptions:
    """The policy in a query string. Raises FilterError for an invalid one."""
    try:
        opinions = tuple(dataset.opinions.places)
        why_not = dataset.confidence.why_not(dataset.title)
        return parse(pairs, dataset.agreements, removed=removed, also=also, opinions=opinions, no_confidence=why_not)
    except PolicyError as error:
        if error.parameter == "agreement" and error.value not in error.allowed:
            raise no_agreement(dataset, error.parameter, error.value) from error
        raise FilterError(error.parameter, error.value, error.allowed, str(error)) from error


def wanted_by_votes(pairs: Iterable[tuple[str, str]], dataset: Dataset, *, also: tuple[str, ...] = ()) -> ExportOptions:
    """The policy in a query string where only verdicts by votes are known. Raises FilterError."""
    wanted = wanted_of(pairs, dataset, removed=False, also=also)
    rule = wanted.policy.rule
    if rule is not Rule.VOTES:
        words = f"Changes are recorded of verdicts by votes alone, not of rule={rule.value}."
        raise NotOffered("rule", rule.value, [Rule.VOTES.value], words)
    return wanted


def known(catalogue: Catalogue, dataset: Dataset, connection: Connection) -> TestSet:
    """The test set of a dataset. Raises NotLoadedError if its labels are not in the catalogue."""

    def load() -> TestSet:
        require_reader()
        return original_test_set.load(connection, dataset.name)

    return catalogue.pages.get(("test set", dataset.id), load)


def _not_this_version(
    request: Request, connection: Connection, dataset: Dataset, version: str
) -> NotFound | Gone | InReview:
    """The error for a version that is not the current one: a former one, with what has become of it, or unknown."""
    path = request.url.path.rpartition("/")[2]
    query = f"?{request.url.query}" if request.url.query else ""
    now = f"/api/v1/versions/{dataset.content_version}/datasets/{dataset.name}/{path}{query}"
    known = version_log.by_name(version_log.log(connection, dataset, Policy(dataset.default_agreement)))
    holds = dataset.content_version
    if dataset.held_back is not None and version == dataset.version:
        return InReview(
            f"Version {version} of {dataset.title} cannot be had now. {dataset.held_back.why} It is back when "
            f"{dataset.held_back.until}; until then version {holds} is what is left of it.",
            [(f"{dataset.title} without them", now)],
        )
    if version not in known:
        return NotFound(
            f"Version {version[:40]!r} of {dataset.title} is not in this catalogue, which holds {holds}.",
            [(f"the current version of {dataset.title}", now)],
        )
    gone = known[version]
    page, api = (f"{at}/{dataset.name}/changes?from={version}" for at in ("", "/api/v1/datasets"))
    return Gone(
        f"Version {version} of {dataset.title} was current from {gone.since} to {gone.until} and is not kept. The "
        f"current one is {holds}; {here(page)} lists what changed.",
        [(f"the current version of {dataset.title}", now), ("What changed", page)],
        {"since": gone.since, "until": gone.until, "current": now, "changes": api},
    )
