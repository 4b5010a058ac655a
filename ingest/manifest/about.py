"""What a manifest tells readers about its dataset: the parts of its TOML that pages print and nothing is read by."""

import ast
from typing import get_args

from ingest.manifest.model import About, Join, Licence, Link, Loader, MediaPolicy, Paper, Verdicts
from ingest.manifest.toml_table import Table


def read_about(table: Table) -> About:
    """Summary, licence, notes, links, the paper's figures, whose the verdicts are and how the dataset is loaded."""
    licence = table.table("licence")
    about = About(
        summary=table.string("summary"),
        homepage=table.optional_url("homepage"),
        model=table.optional_string("model"),
        citation=table.optional_string("citation"),
        bibtex=table.optional_string("bibtex"),
        licence=Licence(
            name=licence.string("name"),
            url=licence.optional_url("url"),
            source=licence.string("source"),
            media=licence.choice("media", get_args(MediaPolicy)),
        ),
        notes=table.strings("notes", default=()),
        links=tuple(_link(link) for link in table.tables("links")),
        paper=_paper(table.table("paper", optional=True)) if "paper" in table else None,
        verdicts=_verdicts(table.table("verdicts", optional=True)) if "verdicts" in table else None,
        loader=_loader(table.table("loader", optional=True)) if "loader" in table else None,
    )
    licence.finish()
    return about


def _link(table: Table) -> Link:
    link = Link(title=table.string("title"), url=table.url("url"))
    table.finish()
    return link


def _verdicts(table: Table) -> Verdicts:
    verdicts = Verdicts(
        reviewers=table.string("reviewers"),
        authors=table.strings("authors", default=()),
        licence=table.optional_string("licence"),
        licence_url=table.optional_url("licence_url"),
        source=table.optional_url("source"),
        citation=table.optional_string("citation"),
        bibtex=table.optional_string("bibtex"),
    )
    table.finish()
    if verdicts.licence_url is not None and verdicts.licence is None:
        raise table.error("licence", "expected the name of the licence at licence_url, found none")
    if not all(author.strip() for author in verdicts.authors):
        raise table.error("authors", "expected names, found an empty one")
    return verdicts


def _loader(table: Table) -> Loader:
    loader = Loader(
        name=table.string("name"),
        code=table.string("code").strip("\n"),
        join=table.choice("join", get_args(Join), default="index"),
        partial=table.boolean("partial", default=False),
        torch=table.boolean("torch", default=False),
    )
    table.finish()
    try:
        made = _assigned(loader.code)
    except (SyntaxError, ValueError) as error:
        raise table.error("code", f"expected Python: {error}") from error
    for name in ("test_set", "keys") if loader.join == "key" else ("test_set",):
        if name not in made:
            raise table.error("code", f"expected it to make {name}, found {', '.join(sorted(made)) or 'nothing'} made")
    if loader.partial and loader.join != "key":
        raise table.error("partial", 'goes with join = "key": what is missing is known by its key')
    return loader


def _assigned(code: str) -> set[str]:
    """The names that Python code gives a value. It is parsed and never run."""
    return {n.id for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _paper(table: Table) -> Paper:
    categories = table.table("categories", optional=True)
    names = ("correctable", "multi_label", "neither", "non_agreement")
    paper = Paper(
        **{
            name: table.optional_integer(name, least=0)
            for name in ("size", "flagged", "checked", "errors", "non_errors", "estimated_errors")
        },
        percent_error=table.optional_number("percent_error"),
        categories={name: categories.optional_integer(name, least=0) for name in names},
        differs=table.optional_string("differs"),
    )
    categories.finish()
    table.finish()
    return paper
