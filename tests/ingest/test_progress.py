"""What is shown while something takes long."""

import io
import sys

import pytest

from ingest.progress import Bars, Lines, Progress, progress_for_terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("progress", [Bars(), Lines()])
def test_a_finished_task_leaves_one_line(progress: Progress, capsys: pytest.CaptureFixture[str]) -> None:
    with progress.task("sheep", 3_000, "counted") as advance:
        for _ in range(3):
            advance(500)
    output = capsys.readouterr()
    assert output.err.splitlines()[-1] == "sheep: 1,500 of 3,000 counted in 0.0 s"
    assert output.out == ""


def test_a_slow_task_tells_what_each_step_took(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 30.0, 30.0, 90.0])
    monkeypatch.setattr("ingest.progress.time.monotonic", lambda: next(now))
    for done in (6, 0):
        with Lines().task("sheep", done, "counted") as advance:
            advance(done)
    assert capsys.readouterr().err.splitlines() == [
        "sheep: 6 counted in 30.0 s, 5.0 s each",
        "sheep: 0 counted in 60.0 s",
    ]


def test_bars_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress_for_terminal(), Bars)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(progress_for_terminal(), Lines)


def test_a_bar_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Bars().task("sheep", 10, "counted"):
        pass
    assert "0/10" in terminal.getvalue()
