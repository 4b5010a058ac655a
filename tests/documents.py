"""What the documentation shows, done as a reader does it: each page in order, in a folder, with a site of its own.

The word behind three backticks says what a block is:

* ``sh``: commands, run one by one, those of ``NOT_RUN`` apart;
* ``python``: run, with the names of the blocks before it; ``python not run`` is only compiled, see ``PYTHON_NOT_RUN``;
* ``text``: what the block before it prints, where ``...`` stands for anything;
* ``toml FILE`` and ``json FILE``: a file that the reader writes; ``toml`` alone is a part of the manifest before it;
* ``tree``: a folder, whose files are there in the end;
* ``shell``, ``nginx``, ``yaml``, ``log``: what one needs who operates a site. tests/test_operating.py tries each;
* ``formula``: mathematics. Doctests in ``app/domain`` hold them.
"""

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from markdown_it import MarkdownIt

from app.site.docs.markdown import anchor
from ingest.commands.console import _parser
from ingest.manifest.parse import read_manifest
from tests.conftest import ROOT

PAGES = tuple(sorted(ROOT.glob("docs/*.md"))) + tuple(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
SITE = "http://127.0.0.1:8000"
KINDS = {"sh", "python", "text", "toml", "json", "tree", "formula", "shell", "nginx", "yaml", "log"}

#: Commands that are not run, and what holds them instead: by what they begin with.
NOT_RUN = {
    "git clone": "needs the network; the fixtures read what was cloned",
    "make ": "makes environments, and runs the tests; that the target exists is looked at",
    "pip install": "needs packages; tests/test_package.py installs the wheel",
    "label-errors sample": "has made the catalogue that the reader begins with",
    "label-errors serve": "runs for ever; the site is served by this module. Its arguments are parsed",
    "label-errors try": "runs for ever; tests/ingest/commands/test_try_folder.py runs it. Its arguments are parsed",
    "label-errors release": "needs the clone; the fixture real_catalogue runs it. Its arguments are parsed",
    "label-errors check label-errors": "needs the clone, as above. Its arguments are parsed",
    "label-errors media": "needs the network; tests/ingest/commands has it. Its arguments are parsed",
    "label-errors audit": "needs logs of models; tests/ingest/commands/test_audit.py runs it. Its arguments are parsed",
    "label-errors flag --votes": "needs answers of models, as above. Its arguments are parsed",
    "label-errors opinions imagenet": "needs the clone and ReaL; test_published_opinions.py runs it. Its arguments are"
    " parsed",
    "label-errors opinions cifar10": "needs the clone and CIFAR-10H, as above. Its arguments are parsed",
    "label-errors reproduce": "finds nothing of the paper in the sample; test_model_folders.py runs it on the release",
    "label-errors benchmarks benchmarking": "needs the clone, as above. Its arguments are parsed",
}

#: Python that is not run: it downloads weights of hundreds of megabytes, with libraries that are not declared here.
PYTHON_NOT_RUN = "not run"


@dataclass(frozen=True)
class Block:
    """A fenced block: where it begins, what it is, and the file that it is, if any."""

    line: int
    kind: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = []
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            kind, _, file = token.info.partition(" ")
            found.append(Block((token.map or [0])[0] + 1, kind, file.strip(), token.content))
    return found


def commands(block: Block) -> list[str]:
    """The commands of a block without their comments, lines that go on joined."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in (re.sub(r"(^|\s+)# .*", "", line).strip() for line in lines) if line]


def anchors(page: Path) -> list[str]:
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    words = [
        "".join(child.content for child in tokens[place + 1].children or ())
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    return [anchor(one) for one in words]


def links(page: Path) -> Iterator[tuple[str, str]]:
    """(file, anchor) of every link and picture that leads to no other host."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        for child in token.children or ():
            target = str(child.attrs.get("href") or child.attrs.get("src") or "")
            if target and not re.match(r"https?://|mailto:", target):
                yield target.partition("#")[0], target.partition("#")[2]


@dataclass
class Reader:
    """Does what pages say in ``folder``. ``site`` serves the catalogue in its ``var``."""

    folder: Path
    site: str
    names: dict[str, object] = field(default_factory=lambda: {"__name__": "__reader__"})
    manifest: Path | None = None

    def follow(self, page: Path) -> None:
        """Raises AssertionError naming page and line of what does not do what it says."""
        printed = ""
        trees = []
        here = Path.cwd()
        os.chdir(self.folder)
        try:
            for block in blocks(page):
                where = f"{page.name}:{block.line}"
                assert block.kind in KINDS, f"{where} is {block.kind!r}; expected one of {sorted(KINDS)}"
                if block.kind == "sh":
                    printed = "".join(self.run(command, where) for command in commands(block))
                elif block.kind == "python" and block.file == PYTHON_NOT_RUN:
                    compile(block.text, where, "exec")
                elif block.kind == "python":
                    printed = self.execute(block, where)
                elif block.kind == "text":
                    assert_printed(block.text, printed, where)
                elif block.file:
                    self.write(block)
                elif block.kind == "toml":
                    self.read_with(block, where)
                elif block.kind == "tree":
                    trees.append((block, where))
            for block, where in trees:
                assert_tree(block.text, self.folder, where)
        finally:
            os.chdir(here)

    def run(self, command: str, where: str) -> str:
        words = shlex.split(command)
        if words[0] == "label-errors":
            _parser(None).parse_args(words[1:])
        if any(command.startswith(beginning) for beginning in NOT_RUN):
            return ""
        script = self.folder / "bin/label-errors"
        if not script.exists():
            script.parent.mkdir()
            code = "import sys; from ingest.commands.console import console; sys.exit(console())"
            script.write_text(f'#!/bin/sh\nexec {sys.executable} -W error -c "{code}" "$@"\n')
            script.chmod(0o755)
        environment = os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        environment.pop("LABELERRORS_CATALOGUE", None)
        done = subprocess.run(
            ["sh", "-c", command.replace(SITE, self.site)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{where}: {command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def execute(self, block: Block, where: str) -> str:
        with redirect_stdout(StringIO()) as printed:
            exec(compile(block.text.replace(SITE, self.site), where, "exec"), self.names)
        return printed.getvalue()

    def write(self, block: Block) -> None:
        file = self.folder / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        if file.name == "dataset.toml":
            self.manifest = file

    def read_with(self, block: Block, where: str) -> None:
        """Read the manifest with the values and tables of a part of one instead of its own, or beside them."""
        assert self.manifest is not None, f"{where} is a part of no manifest"
        whole = tomllib.loads(self.manifest.read_text(encoding="utf-8")) | tomllib.loads(block.text)
        changed = self.manifest.with_name("changed.toml")
        changed.write_text(as_toml(whole), encoding="utf-8")
        read_manifest(changed)
        changed.unlink()


def as_toml(values: dict[str, object]) -> str:
    """Texts, numbers and lists of them at the top, and in tables below it."""
    top = "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items() if not isinstance(value, dict))
    tables = {name: value for name, value in values.items() if isinstance(value, dict)}
    return top + "".join(f"\n[{name}]\n{as_toml(value)}" for name, value in tables.items())


def assert_printed(expected: str, printed: str, where: str) -> None:
    same = doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS)
    assert same, f"{where}: expected\n{expected}\nfound\n{printed}"


def assert_tree(text: str, folder: Path, where: str) -> None:
    """Each line names a file or, with a slash at its end, the folder of the lines below that are set in."""
    top, *below = [line.split()[0] for line in text.splitlines()]
    for name in below:
        assert (folder / top / name).exists(), f"{where}: there is no {top}{name}"
