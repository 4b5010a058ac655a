"""The store itself: its tables come from migrations, its commits are on the disk, and it refuses what it is not."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text

from app.reviews.links import Link, LinkError, Links
from app.reviews.store import Store, StoreError, store_url
from app.reviews.tables import metadata


def test_migrations_make_the_tables_that_are_declared(store):
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_servers_that_start_at_once_make_one_store(url):
    secrets, failures = [], []

    def start() -> None:
        try:
            store = Store(make_url(url))
            secrets.append(store.secret("links"))
            store.close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures
    assert len(secrets) == 4
    assert len(set(secrets)) == 1


def test_a_commit_is_on_the_disk_before_it_is_told(tmp_path):
    store = Store(store_url("", tmp_path / "catalogue.sqlite"))
    assert (tmp_path / "reviews.sqlite").is_file()
    with store.reading() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]
    store.close()


def test_another_database_is_refused(tmp_path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(StoreError, match="expected a store of votes or an empty database, found another one"):
        Store(store_url(str(path), Path()))


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, and longer than the header of one, so that it is read as what it is not" * 9)
    with pytest.raises(StoreError, match="cannot be used as the store of votes"):
        Store(store_url(str(path), Path()))


def test_a_store_of_a_newer_program_is_refused_and_stays(url):
    store = Store(make_url(url))
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    store.close()
    with pytest.raises(StoreError, match="newer version of label-errors"):
        Store(make_url(url))


@pytest.mark.parametrize("named", ["mysql://localhost/votes", "nonsense://"])
def test_other_databases_are_refused(named):
    with pytest.raises(StoreError, match="expected"):
        store_url(named, Path("catalogue.sqlite"))


def test_links_say_who_and_are_only_what_was_signed_here(store, clock):
    links = Links(store)
    token = links.token(Link("rater", "r1"))
    assert links.read(token) == Link("rater", "r1")
    said, _, signed = token.partition(".")
    # The last letter of a signature has bits that say nothing; its first has none.
    for forged in (
        f"{said}.{'A' if signed[0] != 'A' else 'B'}{signed[1:]}",
        token.partition(".")[0],
        "",
        "x" * 400,
        "a.b.c",
    ):
        with pytest.raises(LinkError, match="not complete, or was not made by this site"):
            links.read(forged)


def test_links_lapse(store, clock):
    links = Links(store)
    token = links.token(Link("open", "pets-1"), seconds=60)
    assert links.read(token).kind == "open"
    clock.now += 61
    with pytest.raises(LinkError, match="lapsed"):
        links.read(token)
