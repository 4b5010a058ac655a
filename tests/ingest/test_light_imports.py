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
