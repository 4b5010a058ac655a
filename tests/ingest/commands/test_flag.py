"""``python -m ingest flag`` as a user runs it: forms of labels and output, interruption, workers that die."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.commands.main import main
from ingest.errors import DataError
from ingest.labels.flag_input import read_class_names, read_given_labels

ROOT = Path(__file__).resolve().parents[3]
NAMES = ["ant", "bee", "=cat()"]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Any, Any]:
    """A folder with probs.npy, labels.npy and classes.txt; labels; probabilities. Every tenth label is wrong."""
    rng = np.random.default_rng(11)
    labels = rng.integers(0, 3, 300)
    scores = rng.random((300, 3)) + 2 * np.eye(3)[labels]
    probs = scores / scores.sum(axis=1, keepdims=True)
    labels[::10] = (labels[::10] + 1) % 3
    np.save(tmp_path / "probs.npy", probs)
    np.save(tmp_path / "labels.npy", labels.astype(np.uint8))
    (tmp_path / "classes.txt").write_text("\n".join(NAMES) + "\n")
    return tmp_path, labels, probs


def flag(folder: Path, *options: str, matrix: str = "probs.npy", labels: str = "labels.npy") -> int:
    return main(["flag", str(folder / matrix), "--labels", str(folder / labels), *options])


def test_the_summary(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    assert flag(folder, "--classes", str(folder / "classes.txt")) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0] == "examples 300, classes 3"
    assert lines[1].startswith("rho calibrated: 0.1")
    assert lines[2].startswith("rho uncalibrated: 0.1")
    assert any(line.startswith("flagged by calibrated: ") for line in lines)
    assert any(line.strip().startswith("bee -> ant") for line in lines)
    assert "rows a second), peak memory " in lines[-1]
    assert "flag: 300 rows" in shown.err


def test_the_same_examples_in_every_form(made: Any) -> None:
    folder, labels, probs = made
    options = ("--classes", str(folder / "classes.txt"), "--rule", "uncalibrated", "--out")
    for ending in ("csv", "json", "parquet"):
        assert flag(folder, *options, str(folder / f"out.{ending}")) == 0
    rows = json.loads((folder / "out.json").read_text())
    assert 20 <= len(rows) <= 40
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    margins = [row["normalized_margin"] for row in rows]
    assert margins == sorted(margins)
    for row in rows:
        k = row["index"]
        assert (row["given"], row["guessed"], row["flagged"]) == (labels[k], probs[k].argmax(), True)
        assert (row["given_name"], row["guessed_name"]) == (NAMES[row["given"]], NAMES[row["guessed"]])
        assert row["self_confidence"] == probs[k, labels[k]]
    assert pq.read_table(folder / "out.parquet").to_pylist() == rows
    with (folder / "out.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [int(row["index"]) for row in table] == [row["index"] for row in rows]
    assert [float(row["normalized_margin"]) for row in table] == margins
    assert {row["given_name"] for row in table} == {"ant", "bee", "=cat()"}
    assert sorted(path.name for path in folder.iterdir() if "part" in path.name) == []


def test_every_example_may_be_written(made: Any) -> None:
    folder, _, _ = made
    assert flag(folder, "--rule", "7", "--all", "--out", str(folder / "all.parquet")) == 0
    table = pq.read_table(folder / "all.parquet").to_pydict()
    assert table["index"] == list(range(300))
    assert sum(table["flagged"]) == 7
    # Most suspicious is 1, and all have a place.
    by_rank = sorted(zip(table["rank"], table["normalized_margin"], table["flagged"], strict=True))
    assert [rank for rank, _, _ in by_rank] == list(range(1, 301))
    assert [margin for _, margin, _ in by_rank] == sorted(table["normalized_margin"])
    assert [flagged for _, _, flagged in by_rank] == [True] * 7 + [False] * 293


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_what_is_read_is_not_written_over(ending: str, made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, labels, probs = made
    pq.write_table(pa.table(dict(zip("abc", probs.T, strict=True))), folder / "p.parquet")
    (folder / "l.json").write_text(json.dumps(labels.tolist()))
    _as_csv(folder, labels)
    victim = folder / {"csv": "l.csv", "json": "l.json", "parquet": "p.parquet"}[ending]
    before = victim.read_bytes()
    (folder / f"link.{ending}").symlink_to(victim)
    inputs = {"matrix": victim.name} if ending == "parquet" else {"labels": victim.name}
    for out in (victim, folder / f"link.{ending}"):
        assert flag(folder, "--out", str(out), **inputs) == 1
        assert f"{out.name}: expected another file to write than those that are read" in capsys.readouterr().err
    assert victim.read_bytes() == before


def test_where_nothing_can_be_written_is_said_before_the_work(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, probs = made
    np.save(folder / "nan.npy", probs * np.nan)
    (folder / "dir.csv").mkdir()
    assert flag(folder, "--out", str(folder / "dir.csv"), matrix="nan.npy") == 1
    assert "dir.csv: expected a file to write, found a folder" in capsys.readouterr().err
    assert flag(folder, "--out", "/proc/out.csv", matrix="nan.npy") == 1
    assert "/proc/out.csv: expected a folder that can be written to: " in capsys.readouterr().err
    assert flag(folder, "--all", matrix="nan.npy") == 1
    assert "--all says what is written, and goes with --out" in capsys.readouterr().err


def test_a_link_to_write_to_stays_one(made: Any) -> None:
    folder, _, _ = made
    (folder / "there").mkdir()
    (folder / "link.CSV").symlink_to(folder / "there" / "out.csv")
    assert flag(folder, "--out", str(folder / "link.CSV")) == 0
    assert (folder / "link.CSV").is_symlink()
    assert (folder / "there" / "out.csv").read_text().startswith("index,given,")


@pytest.mark.parametrize("called", [NAMES, ["0", "1", "2"]])
def test_columns_that_are_called_by_their_classes_are_put_in_order(
    called: list[str], made: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _, probs = made
    by_name = dict(zip(called, probs.T, strict=True))
    other = {name: by_name[name] for name in (called[2], called[0], called[1])}
    pq.write_table(pa.table(other), folder / "p.parquet")
    named = ("--classes", str(folder / "classes.txt")) if called is NAMES else ()
    outputs = []
    for matrix in ("probs.npy", "p.parquet"):
        assert flag(folder, *named, "--out", str(folder / "out.csv"), matrix=matrix) == 0
        outputs.append((folder / "out.csv").read_text())
    assert outputs[0] == outputs[1]
    if called is NAMES:
        # Other numbers may stand beside the classes, but each class must be there.
        pq.write_table(pa.table(other | {"weight": probs[:, 0]}), folder / "p.parquet")
        assert flag(folder, *named, "--out", str(folder / "out.csv"), matrix="p.parquet") == 0
        assert (folder / "out.csv").read_text() == outputs[0]
        pq.write_table(pa.table({"ant": probs[:, 0], "BEE": probs[:, 1], NAMES[2]: probs[:, 2]}), folder / "p.parquet")
        assert flag(folder, *named, matrix="p.parquet") == 1
        assert "p.parquet: expected a column for each class, found none called 'bee'" in capsys.readouterr().err


def test_many_classes_need_one_table_of_them(tmp_path: Path) -> None:
    """Of 4,000 classes the joint is 128 MB; several of it at once would show."""
    np.save(tmp_path / "probs.npy", np.full((60, 4_000), 1 / 4_000, np.float32))
    np.save(tmp_path / "labels.npy", np.arange(60))
    command = [sys.executable, "-m", "ingest", "flag", "probs.npy", "--labels", "labels.npy"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-2]) < 60 + 10 * 16 + 40, done.stdout


def test_nothing_flagged_is_still_a_table(made: Any) -> None:
    folder, _, _ = made
    for ending in ("csv", "json", "parquet"):
        assert flag(folder, "--rule", "0", "--out", str(folder / f"none.{ending}")) == 0
    assert json.loads((folder / "none.json").read_text()) == []
    assert pq.read_table(folder / "none.parquet").num_rows == 0
    assert len((folder / "none.csv").read_text().splitlines()) == 1


def _as_csv(folder: Path, labels: Any) -> str:
    (folder / "l.csv").write_text("id,label\n" + "".join(f"{k},{label}\n" for k, label in enumerate(labels)))
    return "l.csv"


def _as_names(folder: Path, labels: Any) -> str:
    (folder / "l.csv").write_text("label\n" + "".join(f"{NAMES[label]}\n" for label in labels))
    return "l.csv"


def _as_json(folder: Path, labels: Any) -> str:
    (folder / "l.json").write_text(json.dumps([NAMES[label] for label in labels]))
    return "l.json"


def _as_lines(folder: Path, labels: Any) -> str:
    (folder / "l.txt").write_text("".join(f"{label}\n" for label in labels))
    return "l.txt"


def _as_texts(folder: Path, labels: Any) -> str:
    np.save(folder / "l.npy", np.array(NAMES)[labels])
    return "l.npy"


def _as_parquet(folder: Path, labels: Any) -> str:
    pq.write_table(pa.table({"label": labels, "other": labels * 0.5}), folder / "l.parquet")
    return "l.parquet"


def _as_parquet_names(folder: Path, labels: Any) -> str:
    pq.write_table(pa.table({"animal": [NAMES[label] for label in labels]}), folder / "l.parquet")
    return "l.parquet"


@pytest.mark.parametrize("form", [_as_csv, _as_names, _as_json, _as_lines, _as_texts, _as_parquet, _as_parquet_names])
def test_labels_in_every_form(form: Callable[[Path, Any], str], made: Any) -> None:
    folder, labels, _ = made
    found = read_given_labels(folder / form(folder, labels), 3, read_class_names(folder / "classes.txt"))
    assert found.tolist() == labels.tolist()
    assert found.dtype == np.uint8


@pytest.mark.parametrize("dtype", ["i1", "u1", ">i2", "u4", "i8", "u8"])
def test_labels_of_any_whole_type(dtype: str, made: Any) -> None:
    folder, labels, _ = made
    np.save(folder / "l.npy", labels.astype(dtype))
    assert read_given_labels(folder / "l.npy", 3, None).tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("l.txt", "0\n3\n", "l.txt: example 1 .line 2.: expected a class from 0 to 2, found 3"),
        (
            "l.txt",
            "0\nbee\n",
            "l.txt: example 1 .line 2.: expected the number of a class .names need --classes; .*, found",
        ),
        ("l.txt", "1\n2\n3\n", r"l.txt: example 2 .line 3.: .* found 3; .* these labels look counted from 1"),
        (
            "l.csv",
            'label,note\n0,"two\nlines"\n9,x\n',
            "example 1 .line 4.: expected a class from 0 to 2, found 9",
        ),
        ("l.txt", "", "l.txt: expected one label an example, found none"),
        ("l.csv", "id,name\n0,1\n", "l.csv: expected a column 'label', found id, name"),
        ("l.csv", "id,label\n0,1\n1\n", "l.csv: line 3: expected 2 cells as in line 1, found 1"),
        ("l.json", '{"a": 1}', "l.json: expected a list of labels"),
        (
            "l.json",
            "[0, true]",
            "l.json: example 1 .entry 1, counted from 0.: expected a label, found True",
        ),
        ("l.json", "[0, 1.5]", "l.json: example 1 .entry 1, counted from 0.: expected a label, found 1.5"),
        ("l.npy", "no array", "l.npy: expected a .npy file"),
        ("l.parquet", "no table", "l.parquet: expected a parquet file"),
    ],
)
def test_bad_labels_are_named(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=said):
        read_given_labels(tmp_path / name, 3, None)


def test_labels_in_a_column_are_read_and_a_table_of_them_is_not(made: Any) -> None:
    folder, labels, _ = made
    np.save(folder / "l.npy", labels.reshape(-1, 1))
    assert read_given_labels(folder / "l.npy", 3, None).tolist() == labels.tolist()
    np.save(folder / "l.npy", np.eye(3, dtype=int)[labels])
    with pytest.raises(DataError, match=r"l\.npy: expected one label an example, found shape \(300, 3\); a 1 in each"):
        read_given_labels(folder / "l.npy", 3, None)
    np.save(folder / "l.npy", labels.reshape(-1, 2))
    with pytest.raises(DataError, match=r"found shape \(150, 2\)$"):
        read_given_labels(folder / "l.npy", 3, None)


def test_bad_classes_are_named(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("ant\nbee\nant\n")
    with pytest.raises(DataError, match=r"c\.txt: class 2: expected each name once, found 'ant' twice"):
        read_class_names(tmp_path / "c.txt")
    (tmp_path / "c.json").write_text('["ant", ""]')
    with pytest.raises(DataError, match=r"c\.json: class 1: expected a name, found ''"):
        read_class_names(tmp_path / "c.json")


def test_what_does_not_fit_together_is_said_and_nothing_written(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, labels, probs = made
    np.save(folder / "few.npy", labels[:-1])
    np.save(folder / "nan.npy", np.where(np.arange(300)[:, None] == 123, np.nan, probs))
    np.save(folder / "logits.npy", np.log(probs))
    np.save(folder / "short.npy", np.tile([0.334, 0.334, 0.333], (300, 1)))
    np.save(folder / "width0.npy", np.zeros((300, 0)))
    (folder / "two.txt").write_text("ant\nbee\n")
    out = ("--out", str(folder / "out.csv"))
    assert flag(folder, *out, labels="few.npy") == 1
    assert "few.npy: expected 300 labels, one for each row of" in (said := capsys.readouterr().err)
    assert "probs.npy, found 299" in said
    (folder / "few.csv").write_text("\n".join(["label", *map(str, labels[:-1])]))
    assert flag(folder, *out, labels="few.csv") == 1
    assert "probs.npy, found 299 below the line that names the columns" in capsys.readouterr().err
    assert flag(folder, *out, "--classes", str(folder / "two.txt")) == 1
    assert "expected 2 columns, one for each class of" in capsys.readouterr().err
    assert flag(folder, *out, matrix="nan.npy") == 1
    assert "nan.npy: row 123: expected finite numbers, found nan" in capsys.readouterr().err
    assert flag(folder, *out, matrix="logits.npy") == 1
    assert "--logits of the command flag" in capsys.readouterr().err
    assert flag(folder, *out, matrix="short.npy") == 1
    assert (
        "found a sum of 1.001; if they were rounded, write more digits, and half precision as it is"
        in capsys.readouterr().err
    )
    assert flag(folder, *out, matrix="width0.npy") == 1
    assert "expected shape (n, m), one column a class, found (300, 0)" in capsys.readouterr().err
    assert flag(folder, *out, matrix="labels.npy") == 1
    assert "labels.npy: expected shape (n, m), one column a class, found (300,)" in capsys.readouterr().err
    assert flag(folder, *out, matrix="none.npy") == 1
    assert "none.npy: expected a .npy file, found none" in capsys.readouterr().err
    assert flag(folder, "--dask", "tcp://127.0.0.1:8786", "--workers", "2") == 1
    assert "--workers goes with --dask local only" in capsys.readouterr().err
    assert flag(folder, "--pool", "processes") == 1
    assert "--pool goes with --workers only" in capsys.readouterr().err
    assert not (folder / "out.csv").exists()
    assert flag(folder, "--logits", matrix="logits.npy") == 0
    assert "softmax applied to logits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rule", "guess"], "expected calibrated, uncalibrated, prune_by_class"),
        (["--rule", "-1"], "expected calibrated"),
        (["--out", "out.xlsx"], "expected a name that ends in .parquet, .csv, .json"),
        (["--out", "no/where/out.csv"], "expected a folder no/where, found none"),
        (["--workers", "0"], "expected a number of workers from 1 to 1,024, found 0"),
    ],
)
def test_wrong_usage_is_status_2(options: list[str], said: str, made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        flag(made[0], *options)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["from ingest.commands.main import main", "from ingest.commands.console import console as main"]
)
def test_small_matrices_need_little(command: str, made: Any) -> None:
    """No database, no pandas, no pyarrow, no server is loaded for a .npy file; most of the time would go there."""
    folder, _, _ = made
    heavy = ("sqlalchemy", "pandas", "pyarrow", "distributed", "zarr", "sklearn", "PIL", "pydantic", "uvicorn")
    script = (
        f"import sys; {command};"
        f"main(['flag', {str(folder / 'probs.npy')!r}, '--labels', {str(folder / 'labels.npy')!r}]);"
        f"sys.exit([name for name in {heavy} if name in sys.modules].__len__())"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough rows to be met while they are read."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 40, 100_000).astype(np.uint8)
    probs = rng.random((100_000, 40), dtype=np.float32) / 40
    probs[np.arange(100_000), labels] += 1
    probs /= probs.sum(axis=1, keepdims=True)
    labels[::20] = (labels[::20] + 1) % 40
    with (folder / "probs.npy").open("wb") as stream:
        head = {"descr": "<f4", "fortran_order": False, "shape": (15 * 100_000, 40)}
        np.lib.format.write_array_header_1_0(stream, head)
        for _ in range(15):
            stream.write(probs.tobytes())
    np.save(folder / "labels.npy", np.tile(labels, 15))
    return folder


def start(folder: Path, *options: str) -> "subprocess.Popen[str]":
    command = ["-m", "ingest", "flag", str(folder / "probs.npy"), "--labels", str(folder / "labels.npy"), *options]
    return subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    )


def children(pid: int) -> list[int]:
    """All processes that descend from one, as the system lists them."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def readers_of(path: Path, process: "subprocess.Popen[str]", *, itself: bool = True) -> list[int]:
    """The processes that have a file open, of those that a command consists of; waits until there is one.

    Without ``itself`` only those that it started count.
    """
    while process.poll() is None:
        if found := [pid for pid in [process.pid][:itself] + children(process.pid) if reads(pid, path)]:
            return found
        time.sleep(0.001)
    raise AssertionError(f"it was done before it was met: {process.communicate()}")


def reads(pid: int, path: Path) -> bool:
    try:
        return any(entry.readlink() == path for entry in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@pytest.mark.parametrize("options", [[], ["--workers", "2"], ["--workers", "2", "--pool", "processes"]])
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_stops_and_leaves_nothing(
    options: list[str], by: signal.Signals, large: Path, tmp_path: Path
) -> None:
    process = start(large, "--rule", "prune_by_noise_rate", "--all", "--out", str(tmp_path / "out.csv"), *options)
    readers_of(large / "probs.npy", process)
    os.killpg(process.pid, signal.SIGSTOP)  # so that it is not done before it is interrupted
    workers = children(process.pid)
    if by is signal.SIGINT:
        os.killpg(process.pid, by)  # as a terminal does, to all of them
    else:
        process.send_signal(by)
    os.killpg(process.pid, signal.SIGCONT)
    _, said = process.communicate()
    assert process.returncode == 130, said
    assert said.splitlines()[-1] == "interrupted; nothing half-built was kept"
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert sorted(path.name for path in large.iterdir()) == ["labels.npy", "probs.npy"]
    assert not [pid for pid in workers if "spawn_main" in command_of(pid)]


def facts(output: str) -> list[str]:
    return [line for line in output.splitlines() if not line.startswith("time ")]


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_costs_a_retry_and_not_the_result(large: Path) -> None:
    expected, _ = start(large, "--rule", "both").communicate()
    process = start(large, "--rule", "both", "--dask", "local", "--workers", "2")
    # A worker that has begun to read the matrix is in the middle of a task.
    worker = readers_of(large / "probs.npy", process, itself=False)[-1]
    os.kill(worker, signal.SIGKILL)
    found, said = process.communicate()
    assert process.returncode == 0, said
    assert facts(found) == facts(expected)
    assert "Traceback" not in said


def test_dask_says_what_is_wrong_with_the_data_and_where(made: Any) -> None:
    folder, _, probs = made
    np.save(folder / "probs.npy", np.where(np.arange(300)[:, None] == 222, np.nan, probs))
    process = start(folder, "--dask", "local", "--workers", "1")
    _, said = process.communicate()
    assert process.returncode == 1
    assert said.splitlines()[-1].endswith("probs.npy: row 222: expected finite numbers, found nan")
    assert "Traceback" not in said


CLUSTER = """\
import sys
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def test_a_cluster_that_runs_already_is_used_and_left_running(made: Any) -> None:
    folder, _, _ = made
    (folder / "cluster.py").write_text(CLUSTER)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(folder / "cluster.py")],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        outputs = [start(folder, "--dask", address).communicate()[0] for _ in range(2)]
        cluster.communicate("")
    expected, _ = start(folder).communicate()
    assert [facts(output) for output in outputs] == [facts(expected)] * 2


@pytest.mark.slow
def test_a_scheduler_without_workers_is_said(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    script = CLUSTER.replace("n_workers=1, threads_per_worker=1", "n_workers=0")
    (made[0] / "cluster.py").write_text(script)
    with subprocess.Popen(
        [sys.executable, str(made[0] / "cluster.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        process = start(made[0], "--dask", address)
        _, said = process.communicate()
        cluster.communicate("")
    assert process.returncode == 1
    assert f"error: expected workers at the Dask scheduler {address}, found none" in said


@pytest.mark.parametrize("after", [0.02, 1.0, pytest.param(2.0, marks=pytest.mark.slow)])
def test_ctrl_c_while_dask_starts_is_answered_in_one_line(after: float, made: Any) -> None:
    process = start(made[0], "--dask", "local", "--workers", "2")
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    # In its first moments Python itself answers, before there is any of our code to do so; a small matrix may be done.
    if process.returncode == 130:
        assert said.splitlines()[-1] == "interrupted; nothing half-built was kept"
        assert "Traceback" not in said
    else:
        assert process.returncode in (0, -signal.SIGINT, 1), said


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_is_said(made: Any) -> None:
    process = start(made[0], "--dask", "tcp://127.0.0.1:1")
    _, said = process.communicate()
    assert process.returncode == 1
    assert "error: expected a Dask scheduler at tcp://127.0.0.1:1, found none" in said
    assert "Traceback" not in said


def test_a_mark_at_the_beginning_is_no_part_of_a_name(made: Any) -> None:
    folder, labels, _ = made
    (folder / "marked.txt").write_text("\n".join(NAMES), encoding="utf-8-sig")
    assert read_class_names(folder / "marked.txt") == NAMES
    (folder / "labels.txt").write_text("\n".join(NAMES[label] for label in labels), encoding="utf-8-sig")
    assert read_given_labels(folder / "labels.txt", 3, NAMES).tolist() == labels.tolist()
    (folder / "names.json").write_text(json.dumps(NAMES), encoding="utf-8-sig")
    assert read_class_names(folder / "names.json") == NAMES


def test_whole_numbers_and_names_are_read_whatever_their_type(made: Any) -> None:
    folder, labels, _ = made
    (folder / "floats.json").write_text(json.dumps(labels.astype(float).tolist()))
    pq.write_table(pa.table({"label": labels.astype(float)}), folder / "floats.parquet")
    np.save(folder / "bytes.npy", np.array([NAMES[label] for label in labels]).astype("S"))
    for name in ("floats.json", "floats.parquet", "bytes.npy"):
        assert read_given_labels(folder / name, 3, NAMES).tolist() == labels.tolist(), name
    np.save(folder / "objects.npy", np.array([NAMES[label] for label in labels], dtype=object))
    with pytest.raises(DataError, match=r"found Python objects, which are not unpickled; save names with .astype"):
        read_given_labels(folder / "objects.npy", 3, NAMES)


def test_a_matrix_without_rows_is_named(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    np.save(folder / "none.npy", np.zeros((0, 3)))
    assert flag(folder, matrix="none.npy") == 1
    assert "none.npy: expected rows, one an example, found none: shape (0, 3)" in capsys.readouterr().err


def test_probabilities_get_no_softmax_and_that_is_said(made: Any, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _, _ = made
    assert flag(folder, "--logits") == 0
    assert "--logits: no softmax applied, for these are probabilities already" in capsys.readouterr().out
