"""Stores: every way of packing gives the same members, and hostile or broken archives are refused by name."""

import gzip
import hashlib
import lzma
import os
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from packing import WAYS, tar_bytes, zip_bytes

from ingest.media.archives.stores import MemberError, fingerprint, open_store
from ingest.media.items import MediaError

FILES = {"set/b.txt": b"second", "set/a/1.txt": b"first" * 1000, "set/empty": b""}
ZEROS = bytes(33 << 20)


def contents(path: Path, limit: int = 1 << 20) -> dict[str, bytes]:
    return {member.name: member.read(limit) for member in open_store(path).members()}


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_packing_gives_the_same_members(tmp_path: Path, way: str) -> None:
    path = WAYS[way](tmp_path, "set", FILES)
    found = contents(path)
    expected = {name.removeprefix("set/"): data for name, data in FILES.items()} if way == "unpacked" else FILES
    assert found == expected
    if way != "unpacked":
        assert list(found) == list(FILES), "in the order of the archive"


def test_members_may_be_left_unread(tmp_path: Path) -> None:
    path = WAYS["tar.gz"](tmp_path, "set", FILES)
    assert [member.name for member in open_store(path).members()] == list(FILES)


def test_two_xz_streams_are_read_as_one(tmp_path: Path) -> None:
    raw = tar_bytes(FILES)
    path = tmp_path / "set.tar.xz"
    path.write_bytes(lzma.compress(raw[:1000]) + bytes(8) + lzma.compress(raw[1000:]))
    assert contents(path) == FILES


def test_a_single_file_is_its_own_only_member(tmp_path: Path) -> None:
    path = tmp_path / "one.bin"
    path.write_bytes(b"bytes")
    assert contents(path) == {"one.bin": b"bytes"}


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/etc/evil", "..\\evil", "C:\\evil", "\\\\host\\evil"])
@pytest.mark.parametrize("ending", [".tar", ".zip"])
def test_an_archive_with_a_name_that_leads_out_of_it_is_refused(tmp_path: Path, name: str, ending: str) -> None:
    path = tmp_path / f"set{ending}"
    files = {"good": b"", name: b""}
    path.write_bytes(tar_bytes(files) if ending == ".tar" else zip_bytes(files))
    with pytest.raises(MediaError, match=r"set\..*member .*evil.*: refused the archive: this name leads out of it"):
        list(open_store(path).members())


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (link("bad", "/etc/passwd"), "found a link"),
        (link("bad", "good", tarfile.LNKTYPE), "found a link"),
        (link("bad", "", tarfile.CHRTYPE), "found a device or special file"),
        (link("bad", "", tarfile.FIFOTYPE), "found a device or special file"),
    ],
)
def test_links_and_devices_in_a_tar_are_not_read(tmp_path: Path, info: tarfile.TarInfo, message: str) -> None:
    path = tmp_path / "set.tar"
    path.write_bytes(tar_bytes({"good": b"fine"}, info))
    _, bad = open_store(path).members()
    assert bad.name == "bad"
    with pytest.raises(MemberError, match=message):
        bad.read(100)


def test_a_link_in_a_zip_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("bad")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    (bad,) = open_store(path).members()
    with pytest.raises(MemberError, match="found a link or special file"):
        bad.read(100)


def test_links_in_a_folder_are_followed_only_within_it(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "good").write_bytes(b"fine")
    (folder / "inside").symlink_to("good")
    (folder / "nowhere").symlink_to("gone")
    (folder / "outside").symlink_to("../secret")
    os.mkfifo(folder / "pipe")
    refused = {member.name: member.refused for member in open_store(folder).members()}
    assert refused.pop("good") is None
    assert refused.pop("inside") is None
    assert "leads out of the folder" in str(refused.pop("outside"))
    assert "device or pipe" in str(refused.pop("pipe"))
    assert "none that can be read" in str(refused.pop("nowhere"))


def test_a_member_larger_than_asked_for_is_refused(tmp_path: Path) -> None:
    path = WAYS["zip"](tmp_path, "set", FILES)
    with pytest.raises(MemberError, match="expected at most 100 bytes, found 5,000"):
        contents(path, limit=100)


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz"])
def test_a_bomb_in_a_tar_is_refused_even_if_nothing_of_it_is_wanted(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"set{ending}"
    raw = tar_bytes({"zeros": ZEROS})
    path.write_bytes(gzip.compress(raw, 1) if ending == ".tar.gz" else lzma.compress(raw, preset=0))
    with pytest.raises(MediaError, match=r"set\.tar.*refused as a decompression bomb: .* more than 33,554,432 bytes"):
        list(open_store(path).members())


def test_a_bomb_in_a_zip_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    path.write_bytes(zip_bytes({"zeros": ZEROS}))
    members = open_store(path).members()
    zeros = next(members)
    with pytest.raises(MediaError, match=r"set\.zip: refused as a decompression bomb"):
        zeros.read(1 << 30)


def test_a_tar_header_that_would_fill_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.tar"
    info = link("name", "", tarfile.XHDTYPE)
    info.size = 1 << 32
    path.write_bytes(info.tobuf() + bytes(10_240))
    with pytest.raises(MediaError, match=r"set\.tar: .*refused a header of 4,294,967,296 bytes"):
        list(open_store(path).members())


def test_an_xz_file_that_asks_for_gigabytes_is_refused(tmp_path: Path) -> None:
    data = bytearray(lzma.compress(tar_bytes(FILES)))
    header = data[12:24]
    header[4] = 40  # a dictionary of 4 GiB
    data[12:24] = header[:8] + zlib.crc32(header[:8]).to_bytes(4, "little")
    path = tmp_path / "set.tar.xz"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=r"set\.tar\.xz: .*Memory usage limit"):
        list(open_store(path).members())


@pytest.mark.parametrize("way", ["tar", "tar.gz", "tar.xz", "zip"])
@pytest.mark.parametrize("part", [0.0, 0.3, 0.31, 0.9])
def test_an_archive_that_is_cut_off_is_refused_by_name(tmp_path: Path, way: str, part: float) -> None:
    noise = {f"set/{i}": hashlib.sha256(bytes([i])).digest() * 200 for i in range(5)}
    path = WAYS[way](tmp_path, "set", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part * (0.6 if way == "tar" else 1))])
    with pytest.raises(MediaError, match=rf"set\.{way}: expected a whole .*, found one that cannot be read to its end"):
        contents(path)


def test_a_damaged_member_of_a_zip_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bad", b"abcdefgh")
        archive.writestr("good", b"fine")
    path.write_bytes(path.read_bytes().replace(b"abcdefgh", b"abcdefgH"))
    members = open_store(path).members()
    with pytest.raises(MemberError, match="expected a whole file, found one that cannot be unpacked"):
        next(members).read(100)
    assert next(members).read(100) == b"fine"


def test_a_member_with_a_password_is_said_to_have_one(tmp_path: Path) -> None:
    """Flag 1 in the header of the member and in that of the directory."""
    data = bytearray(zip_bytes({"secret": b"x"}))
    data[6] |= 1
    data[data.rfind(b"PK\1\2") + 8] |= 1
    path = tmp_path / "set.zip"
    path.write_bytes(data)
    with pytest.raises(MemberError, match="found one that is encrypted with a password"):
        next(open_store(path).members()).read(100)


def test_a_wrong_checksum_at_the_end_of_a_gz_is_noticed(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(tar_bytes(FILES)))
    data[-8] ^= 1
    path = tmp_path / "set.tar.gz"
    path.write_bytes(data)
    with pytest.raises(MediaError, match="CRC"):
        contents(path)


@pytest.mark.parametrize("ending", [".tar", ".tar.gz", ".tar.xz", ".zip"])
def test_a_page_saved_under_an_archives_name_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"set{ending}"
    path.write_bytes(b"<!doctype html><title>404</title>" * 40)
    with pytest.raises(MediaError, match="found one that cannot be read to its end"):
        list(open_store(path).members())


def test_a_folders_fingerprint_is_that_of_its_sorted_checksums(tmp_path: Path) -> None:
    folder = WAYS["unpacked"](tmp_path, "set", FILES)
    lines = "".join(
        f"{hashlib.sha256(FILES[f'set/{name}']).hexdigest()}  {name}\n" for name in ("a/1.txt", "b.txt", "empty")
    )
    assert fingerprint(folder) == (hashlib.sha256(lines.encode()).hexdigest(), 5006)


def test_a_files_fingerprint_is_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_bytes(b"bytes")
    assert fingerprint(path) == (hashlib.sha256(b"bytes").hexdigest(), 5)


def test_a_member_is_read_as_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "set.tar"
    path.write_bytes(tar_bytes({"long": b"0123456789" * 100_000, "next": b"fine"}))
    members = open_store(path).members()
    with next(members).open() as file:
        assert file.read(10) == b"0123456789"
        assert file.read(3) == b"012"
    assert next(members).read(100) == b"fine"


@pytest.mark.parametrize("ending", ["", ".tar.gz", ".zip"])
def test_a_file_that_is_gone_is_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"gone{ending}"
    with pytest.raises(MediaError, match=rf"gone{ending}: expected a file that can be read \(No such file"):
        list(open_store(path).members())
    with pytest.raises(MediaError, match=rf"gone{ending}: .*No such file"):
        fingerprint(path)
