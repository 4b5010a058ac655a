"""Numbers that processes keep together: those of the living and of the ended are all in the sum, once each."""

from pathlib import Path

import pytest

from app.web.server.counters import Counters

NAMES = (["requests", "bytes"], ["connections"])


def test_each_process_knows_the_numbers_of_all(tmp_path: Path):
    one, two = Counters(*NAMES, tmp_path), Counters(*NAMES, tmp_path)
    one.add("requests", 2)
    two.add("requests")
    two.add("bytes", 1 << 40)
    one.set("connections", 5)
    two.set("connections", 7)
    assert one.totals() == two.totals()
    assert one.totals().counted == {"requests": 3, "bytes": 1 << 40}
    assert sorted(values["connections"] for values in one.totals().living) == [5, 7]
    one.close()
    two.close()


def test_what_a_process_counted_stays_counted_when_it_has_ended_and_what_it_had_does_not(tmp_path: Path):
    one = Counters(*NAMES, tmp_path)
    for _ in range(5):  # as a worker that dies again and again
        dying = Counters(*NAMES, tmp_path)
        dying.add("requests", 10)
        dying.set("connections", 9)
        dying.close()
        assert one.totals().living == [{"connections": 0}]
    assert one.totals().counted["requests"] == 50
    another = Counters(*NAMES, tmp_path)
    assert another.totals().counted["requests"] == 50
    assert len(list(tmp_path.iterdir())) == 3, "there are files of the living, and one of all others"
    one.close()
    another.close()


def test_files_that_were_cleared_away_are_no_zeros(tmp_path: Path):
    one, two = Counters(*NAMES, tmp_path), Counters(*NAMES, tmp_path)
    for file in tmp_path.glob("counts-*"):
        file.unlink()
    with pytest.raises(FileNotFoundError):
        one.totals()
    one.close()
    two.close()
