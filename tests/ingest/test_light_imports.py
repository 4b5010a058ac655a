"""What an ingest of arrays does not need is not loaded: its memory would count for every example of a large one."""

import subprocess
import sys
from pathlib import Path


def test_an_ingest_of_arrays_does_without_pandas() -> None:
    script = (
        "import sys\n"
        "import ingest.pipeline, ingest.commands.main\n"
        "sys.exit({'pandas', 'pyarrow.parquet', 'scipy', 'sklearn', 'torch'} & sys.modules.keys() or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_command_does_without_what_the_others_need() -> None:
    """Described without the database are all but those that write test sets; a server does without pandas."""
    script = (
        "import contextlib, io, sys\n"
        "from ingest.commands.main import COMMANDS, main\n"
        "def loaded(*arguments):\n"
        "    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "        main([*arguments, '--help'])\n"
        "    return {'numpy', 'pydantic', 'sqlalchemy', 'pyarrow', 'pandas', 'fastapi'} & sys.modules.keys()\n"
        "assert not loaded() and not loaded('sample')\n"
        "for name in COMMANDS.keys() - {'export', 'task'}:\n"
        "    assert loaded(name) <= {'numpy', 'pydantic'}, name\n"
        "import app.main\n"
        "assert 'pandas' not in loaded(), 'the server'\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_reads_a_catalogue_does_without_what_makes_one(sample_catalogue: Path) -> None:
    script = (
        "import sys\n"
        "from ingest.commands.main import main\n"
        f"main(['list', '--catalogue', {str(sample_catalogue)!r}])\n"
        "assert not {'numpy', 'pydantic', 'pyarrow', 'ingest.datasets', 'ingest.media'} & sys.modules.keys()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sample-digits" in done.stdout
