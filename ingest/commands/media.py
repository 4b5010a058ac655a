"""``python -m ingest media``: fetch media from the web that a dataset in the catalogue lacks.

Arguments in; fetched and stored files and a report of failures with their reasons out.
"""

import argparse
from collections import Counter
from typing import TYPE_CHECKING, Final

from ingest.commands.arguments import add_media_for, whole_number
from ingest.progress import progress_for_terminal

if TYPE_CHECKING:
    from ingest.fetch.missing_media import Report

# The downloader is imported when it is used: other commands list these arguments too and start faster without it.

EXAMPLES: Final = """\
examples:
  %(prog)s cifar100 --from published
  %(prog)s quickdraw --from addresses.txt --rate 2

"published" asks for each issue by the address in its record. A file of addresses has a line for each example: its
index, a space and the address. What is there already is not asked for again, so the command can be interrupted and
given again. Addresses on private networks are refused, unless their host is named with --allow-host.

Mind the terms of the dataset: what you fetch is for yourself, and a server that everyone can reach shows only what the
licence in the manifest allows (LABELERRORS_PUBLIC=1).
"""

_REASONS_NAMED: Final = 20
_FAILURES_NAMED: Final = 1_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command, except the catalogue."""
    parser.add_argument("name", metavar="NAME", help="a dataset that the catalogue holds")
    parser.add_argument(
        "--from", dest="source", metavar="URLS", required=True, help='"published", or a file of addresses'
    )
    parser.add_argument(
        "--rate",
        metavar="N",
        type=_rate,
        default=4.0,
        help="requests a second at most (default: 4)",
    )
    parser.add_argument(
        "--connections",
        metavar="N",
        type=whole_number("a number of connections", 1, 8),
        default=2,
        help="at a time, 1 to 8 (default: 2)",
    )
    add_media_for(parser)
    parser.add_argument(
        "--allow-host", metavar="HOST", action="append", default=[], help="a host that may be private; may be repeated"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fetch, store and report. 0 when everything requested is stored, else 1."""
    from ingest.fetch.downloader import FetchPolicy
    from ingest.fetch.missing_media import fetch_media

    manners = FetchPolicy(
        connections=arguments.connections,
        per_second=arguments.rate,
        allowed_hosts=frozenset(arguments.allow_host),
    )
    progress = progress_for_terminal()
    report = fetch_media(
        arguments.name,
        arguments.source,
        arguments.catalogue,
        manners,
        media_for=arguments.media_for,
        wait=arguments.wait,
        progress=progress,
    )
    print(told(report))
    return 1 if report.failed else 0


def told(report: "Report") -> str:
    """The result of a run for people: counts, then reasons, most frequent first, then each example that failed."""
    from ingest.fetch.missing_media import NOT_ASKED

    lines = [
        f"{report.dataset}: {_counted(report.asked, 'issue')} without a medium, {report.stored:,} stored"
        f" ({report.known:,} fetched before), {len(report.failed):,} failed"
    ]
    reasons = Counter(reason for _, reason in report.failed)
    # Reasons that occur once are printed with their example, below.
    often = [(reason, n) for reason, n in reasons.most_common(_REASONS_NAMED) if n > 1 or reason in NOT_ASKED]
    lines += [f"  {n:,} x {reason}" for reason, n in often]
    asked = [(index, reason) for index, reason in report.failed if reason not in NOT_ASKED]
    for index, reason in asked[:_FAILURES_NAMED]:
        lines.append(f"  example {index} at {_printable(report.addresses[index])}: {reason}")
    if len(asked) > _FAILURES_NAMED:
        lines.append(f"  and {_counted(len(asked) - _FAILURES_NAMED, 'more example')}")
    if report.unlisted:
        have = "has" if report.unlisted == 1 else "have"
        lines.append(f"  {_counted(report.unlisted, 'issue')} without a medium {have} no address in the file")
    if report.needless == 1:
        lines.append("  1 address in it is of an example that is no issue or has its medium")
    elif report.needless:
        lines.append(f"  {report.needless:,} addresses in it are of examples that are no issues or have their medium")
    return "\n".join(lines)


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _printable(address: str) -> str:
    """An address from a user's file, without characters that control the terminal."""
    return address if address.isprintable() else ascii(address)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 100:
        raise argparse.ArgumentTypeError(f"expected requests a second, above 0 and at most 100, found {text}")
    return rate
