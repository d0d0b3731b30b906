"""Folders, files and archives look alike."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest

from bakeoff.data import files as module
from bakeoff.data.files import Files
from bakeoff.errors import DataError, OptionError

CONTENT = {"roses/1.txt": b"red", "roses/2.txt": b"pink", "tulips/1.txt": b"yellow"}
CLUTTER = {".DS_Store": b"x", "__MACOSX/roses/._1.txt": b"x", "README.md": b"words", "roses/.hidden": b"x"}


def folder(path: Path) -> Path:
    for name, content in {**CONTENT, **CLUTTER}.items():
        (path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "data" / name).write_bytes(content)
    return path / "data"


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path / "data.zip", "w") as archive:
        for name, content in {**CONTENT, **CLUTTER}.items():
            archive.writestr(name, content)
    return path / "data.zip"


def tarred(path: Path, mode: str) -> Path:
    target = path / f"data.tar{'.' + mode if mode else ''}"
    with tarfile.open(target, f"w:{mode}") as archive:
        for name, content in {**CONTENT, **CLUTTER}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return target


@pytest.mark.parametrize("make", [folder, zipped, *(lambda path, mode=mode: tarred(path, mode) for mode in ("", "gz", "xz", "bz2"))])
def test_every_container_lists_and_reads_the_same(make: object, tmp_path: Path) -> None:
    files = Files.open(make(tmp_path))                        # type: ignore[operator]
    assert {name: files.read(name) for name in files.names} == CONTENT
    assert files.names == tuple(CONTENT)
    assert files.label == "data"


def test_names_are_sorted_folder_by_folder(tmp_path: Path) -> None:
    for name in ("a-b/1.txt", "a/2.txt", "a/10.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert Files.open(tmp_path).names == ("a/10.txt", "a/2.txt", "a-b/1.txt")


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_a_packed_file_is_read_as_if_it_were_not(ending: str, pack: object, tmp_path: Path) -> None:
    (tmp_path / f"train.csv.{ending}").write_bytes(pack(b"a,b\n1,2\n"))            # type: ignore[operator]
    for path in (tmp_path, tmp_path / f"train.csv.{ending}"):
        files = Files.open(path)
        assert files.names == ("train.csv",)
        assert files.read("train.csv") == b"a,b\n1,2\n"


def test_a_part_of_an_archive_can_be_named(tmp_path: Path) -> None:
    archive = zipped(tmp_path)
    assert Files.open(archive / "roses").names == ("1.txt", "2.txt")
    assert Files.open(archive / "roses" / "2.txt").read("2.txt") == b"pink"
    with pytest.raises(DataError, match="'roses'"):
        Files.open(archive / "rose")


def test_files_that_differ_in_their_split_can_be_named_together(tmp_path: Path) -> None:
    for name in ("adult-train.csv", "adult-test.csv", "iris.csv"):
        (tmp_path / name).write_text("x")
    files = Files.open(tmp_path / "adult")
    assert files.names == ("adult-test.csv", "adult-train.csv")
    assert [files.split(name) for name in files.names] == ["test", "train"]


def test_a_folder_around_one_archive_is_that_archive(tmp_path: Path) -> None:
    zipped(tmp_path)
    (tmp_path / "README.md").write_text("words")
    assert Files.open(tmp_path).names == tuple(CONTENT)


def test_documents_are_read_where_there_is_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_text("x")
    assert Files.open(tmp_path).names == ("README.txt",)


def test_a_missing_path_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "flowers").mkdir()
    with pytest.raises(DataError, match=r"no file or folder at this path – .*flower – Did you mean 'flowers'"):
        Files.open(tmp_path / "flower")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to read"):
        Files.open(tmp_path)


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.xz"])
def test_a_broken_archive_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"no archive at all")
    with pytest.raises(DataError, match="archive cannot be read"):
        Files.open(tmp_path / name)


def test_a_locked_archive_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1           # the flag of an encrypted entry
    path.write_bytes(content)
    with pytest.raises(DataError, match="password"):
        Files.open(path)


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE_BYTES", 1 << 16)
    zeros = bytes(50_000_000)
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.csv", zeros)
    (tmp_path / "zeros.csv.gz").write_bytes(gzip.compress(zeros))
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        entry = tarfile.TarInfo("zeros.csv")
        entry.size = len(zeros)
        tar.addfile(entry, io.BytesIO(zeros))
    for name in ("x.zip", "x.tar.gz", "zeros.csv.gz"):
        with pytest.raises(DataError, match="far more than its size"):
            Files.open(tmp_path / name).read("zeros.csv")


def test_names_that_lead_out_of_an_archive_are_left_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../evil.txt", "x")
        archive.writestr("good.txt", "x")
    assert Files.open(tmp_path / "x.zip").names == ("good.txt",)


def test_links_that_turn_in_circles_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text("x")
    (tmp_path / "a" / "round").symlink_to(tmp_path)
    assert "a/1.txt" in Files.open(tmp_path).names


def test_the_fingerprint_changes_with_a_byte_and_with_a_name(tmp_path: Path) -> None:
    path = folder(tmp_path)
    first = Files.open(path).fingerprint()
    assert Files.open(path).fingerprint() == first
    (path / "roses/1.txt").write_bytes(b"rEd")
    second = Files.open(path).fingerprint()
    (path / "roses/1.txt").rename(path / "roses/3.txt")
    assert len({first, second, Files.open(path).fingerprint()}) == 3


def test_a_test_set_beside_the_data_takes_the_place_of_their_own(tmp_path: Path) -> None:
    for name in ("main/train/a/1.txt", "main/test/a/2.txt", "other/a/3.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    files = Files.open(tmp_path / "main").with_test(Files.open(tmp_path / "other"))
    said = {name: (files.folder(name), files.split(name)) for name in files.names}
    assert said == {"test/a/3.txt": ("a", "test"), "train/a/1.txt": ("a", "train")}


def test_classes_are_found_whatever_folders_lie_around_them(tmp_path: Path) -> None:
    for name in ("main/deep/a/1.txt", "main/deep/b/1.txt", "other/a/3.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    main, other = Files.open(tmp_path / "main"), Files.open(tmp_path / "other")
    assert main.classes(main.names) == ["a", "b"]
    assert other.classes(other.names) == ["a"]
    both = main.with_test(other)
    assert dict(zip(both.names, both.classes(both.names), strict=True)) == {"deep/a/1.txt": "a", "deep/b/1.txt": "b", "test/a/3.txt": "a"}


def test_a_file_that_is_broken_inside_an_archive_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path)
    content = bytearray(path.read_bytes())
    content[content.index(b"pink")] ^= 255
    path.write_bytes(content)
    files = Files.open(path)
    assert files.read("roses/1.txt") == b"red"
    with pytest.raises(DataError, match=r"cannot be read: Bad CRC.* – roses/2\.txt"):
        files.read("roses/2.txt")


def test_lines_keep_signs_that_are_no_line_ends(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes("\ufeffone\x85two\u2028\rthree\r\nfour".encode())
    assert list(Files.open(tmp_path).lines("x.txt")) == ["one\x85two\u2028\rthree\r\n", "four"]


def test_bytes_of_another_encoding_are_told_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"one\ntw\xe9\n")
    files = Files.open(tmp_path)
    with pytest.raises(DataError, match=r"byte 0xe9 is not utf-8 – x.txt, line 2 – Say --encoding latin-1"):
        list(files.lines("x.txt"))
    assert list(files.lines("x.txt", "latin-1")) == ["one\n", "twé\n"]
    with pytest.raises(OptionError, match="latin-1"):
        list(files.lines("x.txt", "latin-99"))


def test_utf16_is_known_by_its_mark(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("päper\n", encoding="utf-16")
    assert Files.open(tmp_path).text("x.txt") == "päper\n"


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\x89\x00\x01")
    with pytest.raises(DataError, match="no text file"):
        Files.open(tmp_path).text("x.txt")
