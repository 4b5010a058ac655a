"""``label-errors opinions``: read an independent relabelling of a dataset that is in the catalogue."""

import argparse
from pathlib import Path
from typing import Final

from ingest.commands.arguments import add_catalogue
from ingest.errors import IngestError
from ingest.progress import progress_for_terminal

EXAMPLES: Final = """\
examples:
  %(prog)s imagenet --from published
  %(prog)s imagenet --source real real.json
  %(prog)s cifar10 --source cifar10h cifar10h-counts.npy
  %(prog)s pets --source second-look.toml second-look.csv

"published" lists the opinions that are known of a dataset: where they are, on which terms, and how to read them. None
comes with the program; those that anyone may pass on are fetched and held against their SHA-256. The page
/docs/opinions of the site, docs/opinions.md, says how to describe one of your own.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a dataset that the catalogue holds")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the opinion")
    says = 'which opinion it is: "real", "cifar10h", or a TOML file that describes it'
    # The file may stand behind the source, which is how it is mostly written: argparse takes no positional argument
    # that is optional behind an option.
    parser.add_argument("--source", metavar=("SOURCE", "FILE"), nargs="+", default=[], help=says)
    says = '"published" lists where opinions on the dataset are to be had, and fetches those that may be passed on'
    parser.add_argument("--from", dest="place", metavar="published", choices=("published",), help=says)
    says = "the folder that --from puts files in (default: this one)"
    parser.add_argument("--to", metavar="DIR", type=Path, help=says)
    says = "fetch from here in place of the published address; the file has to be the same"
    parser.add_argument("--address", metavar="URL", help=says)
    add_catalogue(parser, written=True)


def run(arguments: argparse.Namespace) -> int:
    """Add an opinion, or list and fetch those that are published."""
    if arguments.place is not None:
        if arguments.file is not None or arguments.source:
            raise IngestError("--from published lists and fetches opinions and takes neither --source nor FILE")
        _published(arguments)
        return 0
    if arguments.to is not None or arguments.address is not None:
        raise IngestError("--to and --address go with --from published")
    source, *files = [*arguments.source, *([arguments.file] if arguments.file else [])] or [None]
    if source is None or len(files) != 1:
        raise IngestError("expected --source SOURCE and one FILE, or --from published")
    from ingest.catalogue.opinions.add import add_to_catalogue
    from ingest.labels.opinions.found import FoundOpinion
    from ingest.manifest.parse import read_opinion_manifest

    found = FoundOpinion(read_opinion_manifest(source), Path(files[0]))
    how = {"wait": arguments.wait, "progress": progress_for_terminal()}
    print(add_to_catalogue(arguments.name, found, arguments.catalogue, **how))
    print(f"wrote {arguments.catalogue}")
    return 0


def _published(arguments: argparse.Namespace) -> None:
    """List the published opinions on a dataset, and fetch those that may be."""
    from ingest.fetch.published_opinion import fetch_opinion, file_name, may_fetch
    from ingest.manifest.parse import shipped_opinions

    name, folder = arguments.name, arguments.to or Path()
    known = [one for one in shipped_opinions() if one.dataset == name]
    if not known:
        raise IngestError(f"no published opinion on {name} is known here; one of your own needs a TOML file")
    open_to_all = [one for one in known if may_fetch(one)]
    if arguments.address is not None and len(open_to_all) != 1:
        found = len(open_to_all) or "none"
        raise IngestError(f"--address: expected one opinion on {name} that may be fetched, found {found}")
    for one in known:
        print(f"{one.title}: {one.citation}")
        print(f"  licence: {one.licence}{f' ({one.licence_url})' if one.licence_url else ''}")
        file = folder / file_name(one)
        if one in open_to_all:
            file, was_there = fetch_opinion(one, folder, progress_for_terminal(), arguments.address)
            print(
                f"  {file} {'is there already' if was_there else 'fetched'}, and is the published file by its SHA-256"
            )
        else:
            print(f"  not fetched: its terms do not let anyone pass it on. It is at {one.url}")
        print(f"  then: label-errors opinions {name} --source {one.name} {file}")
