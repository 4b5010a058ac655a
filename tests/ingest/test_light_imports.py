"""What an ingest of arrays does not need is not loaded: its memory would count for every example of a large one."""

import subprocess
import sys


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
