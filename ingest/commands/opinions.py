"""``label-errors opinions``: read an independent relabelling of a dataset that is in the catalogue."""

import argparse
from pathlib import Path
from typing import Final

from ingest.commands.arguments import add_catalogue
from ingest.errors import IngestError
from ingest.progress import progress_for_terminal

SAYS: Final = "say what an independent relabelling makes of the corrections of a dataset"
EXAMPLES: Final = """\
examples:
  %(prog)s imagenet --from published
  %(prog)s imagenet --source real real.json
  %(prog)s cifar10 --source cifar10h cifar10h-counts.npy
  %(prog)s pets --source second-look.toml second-look.csv

"published" lists the opinions that are known of a dataset: where they are, on which terms, and how to read them. None
comes with the program. The page /docs/opinions of the site, docs/opinions.md, says how to describe one of your own.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("name", metavar="NAME", help="a dataset that the catalogue holds")
    parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the opinion")
    says = 'which opinion it is: "real", "cifar10h", or a TOML file that describes it'
    # The file may stand behind the source, which is how it is mostly written: argparse takes no positional argument
    # that is optional behind an option.
    parser.add_argument("--source", metavar=("SOURCE", "FILE"), nargs="+", default=[], help=says)
    says = '"published" lists where opinions on the dataset are to be had'
    parser.add_argument("--from", dest="place", metavar="published", choices=("published",), help=says)
    add_catalogue(parser, written=True)


def run(arguments: argparse.Namespace) -> int:
    """Add an opinion, or list those that are published."""
    if arguments.place is not None:
        if arguments.file is not None or arguments.source:
            raise IngestError("--from published lists opinions and takes neither --source nor FILE")
        print(_published(arguments.name))
        return 0
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


def _published(name: str) -> str:
    from ingest.manifest.parse import shipped_opinions

    known = [one for one in shipped_opinions() if one.dataset == name]
    if not known:
        raise IngestError(f"no published opinion on {name} is known here; one of your own needs a TOML file")
    lines = []
    for one in known:
        may = "anyone may pass it on" if one.redistributable else "fetch it yourself; it may not be passed on freely"
        lines += [f"{one.title}: {one.citation}", f"  licence: {one.licence} ({may})", f"  file: {one.url}"]
        lines.append(f"  then: label-errors opinions {name} --source {one.name} {(one.url or 'FILE').rsplit('/')[-1]}")
    return "\n".join(lines)
