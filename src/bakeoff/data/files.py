"""A folder, a file or an archive as one listing of names, read in place."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import struct
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from bakeoff.data.names import common_stem, ending, file_split, folder_of, folder_splits
from bakeoff.errors import DataError, OptionError, near

MOST_BYTES = 64 << 30                 # an archive that unpacks to more than this is refused
FREE_BYTES = 1 << 30                  # so much may come out of any archive; beyond it, at most MOST_RATIO times its size
MOST_RATIO = 200
MOST_FILES = 5_000_000
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
DOCUMENTS = ("readme", "license", "licence", "copying", "citation", "changelog", "thumbs.db", "desktop.ini")
BROKEN = (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, RuntimeError, NotImplementedError,
          UnicodeDecodeError)                 # a damaged flag makes zipfile read a name as UTF-8
MISLEADING = (*BROKEN, ValueError, IndexError, struct.error)     # what the head of a damaged archive may end in


class Store(Protocol):
    """Where bytes lie. All methods may be called from several threads."""

    def sizes(self) -> Mapping[str, int]:
        """Every file's name and size in bytes as stored."""
        ...

    def open(self, name: str) -> BinaryIO: ...

    def digest(self, names: Sequence[str]) -> bytes:
        """A hash of these files' names and contents."""
        ...


@dataclass(frozen=True)
class Member:
    """One file of a listing. split: set where an option (--test) says it, whatever the names say."""

    store: Store
    stored: str
    size: int
    split: str | None = None


class Files:
    """What DATA holds: names ('roses/0412.jpg') in a fixed order, and their bytes, read in place.

    A folder, a single file, or an archive (.zip .tar .tar.gz .tar.xz), also a part of one: 'archive.zip/folder', or what
    files have in common: 'folder/adult' is adult-train.csv and adult-test.csv, 'folder/news' is news.en and news.de. Hidden
    files, __MACOSX and documents (README, LICENSE …) are left out. A single '.gz' or '.xz' at the end of a name is undone:
    'train.csv.gz' is listed and read as 'train.csv'.
    """

    def __init__(self, path: Path, members: Mapping[str, Member]) -> None:
        self.path = path                      # as the user gave it
        self.members = dict(sorted(members.items(), key=lambda item: in_order(item[0])))
        self.names: tuple[str, ...] = tuple(self.members)
        self.memo: dict[str, Any] = {}        # what several kinds want to know is found out once

    @classmethod
    def open(cls, path: str | Path) -> Files:
        """Lists what is there. Raises DataError where nothing is, or an archive cannot be read."""
        path = Path(path).expanduser()
        outer, inner = existing_part(path)
        if outer.is_dir():
            store: Store = Folder(outer)
        elif is_archive(outer.name):
            store = archive(outer)
        elif inner:
            raise missing(path)
        else:
            store = Single(outer)
        listed = {name: Member(store, name, size) for name, size in store.sizes().items()}
        files = cls(path, visible(listed))
        if inner:
            files = files.part(inner, path)
        if not files.names:
            raise DataError("there is nothing to read here", f"{path}", "Give a folder, file or archive that holds data.")
        if len(files.names) == 1 and is_archive(files.names[0]) and isinstance(store, Folder):
            return replace_path(cls.open(outer / files.names[0]), path)       # a folder around one archive
        return files

    def part(self, inner: str, path: Path) -> Files:
        """What lies under the folder `inner`, or that file, or the files whose names begin with it and say the split, or that have
        this name but for their endings."""
        under = {name[len(inner) + 1:]: member for name, member in self.members.items() if name.startswith(inner + "/")}
        if not under and inner in self.members:
            under = {inner.rpartition("/")[2]: self.members[inner]}
        if not under:
            folder, _, stem = inner.rpartition("/")
            under = {name.rpartition("/")[2]: member for name, member in self.members.items()
                     if folder_of(name) == folder and common_stem(name) == stem.lower() and file_split(name)}
        if not under:
            under = {name.rpartition("/")[2]: self.members[name] for name in sides(self.names, inner)}
        if not under:
            tops = {name.split("/")[0] for name in self.names} | set(self.names)
            raise DataError("there is no file or folder of this name", str(path), near(inner, tops) if len(tops) <= 1000 else "")
        return Files(path, under)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.members

    def __repr__(self) -> str:
        return f"Files({str(self.path)!r}, {len(self)} files)"

    @property
    def label(self) -> str:
        """The data's own name: 'flowers' of 'path/flowers.tar.gz'."""
        name = self.path.name or self.path.resolve().name
        return name.partition(".")[0] or name

    def where(self, name: str, line: int | None = None) -> str:
        """How a place is told to the user: 'labels.csv, line 214'."""
        return name if line is None else f"{name}, line {line}"

    def endings(self) -> Counter[str]:
        """How many files have each ending, '.jpg': 1600."""
        return Counter(ending(name) for name in self.names)

    def having(self, endings: Iterable[str]) -> list[str]:
        """The names with one of these endings."""
        wanted = frozenset(endings)
        return [name for name in self.names if ending(name) in wanted]

    def with_test(self, other: Files) -> Files:
        """These files and, as test split, those of `other`, listed under 'test/'; own test files are left out."""
        own = {name: member for name, member in self.members.items() if self.split(name) != "test"}
        theirs = {f"test/{name}": replace(member, split="test") for name, member in other.members.items()}
        joined = Files(self.path, own | theirs)
        top, other_top = shared_top(own), shared_top(other.members)
        joined._folders = {folder_of(name): (self.folder_split(name) or "", self.folder(name)[len(top):]) for name in own}
        joined._folders |= {folder_of(f"test/{name}"): ("test", other.folder(name)[len(other_top):]) for name in other.names}
        return joined

    def with_beside(self, paths: Iterable[str]) -> Files:
        """A file with those that it names by paths relative to itself, where they are: a table and its pictures, or its
        folders of frames."""
        root = self.path.expanduser().parent
        store = Folder(root)
        found = {}
        for path in dict.fromkeys(paths):
            file = root / path
            try:
                if path and file.is_file():
                    found[path.replace("\\", "/")] = Member(store, path, file.stat().st_size)
                elif path and file.is_dir():
                    inside = path.replace("\\", "/").rstrip("/") + "/"
                    found |= {inside + one.name: Member(store, inside + one.name, one.stat().st_size)
                              for one in os.scandir(file) if one.is_file() and not hidden(one.name)}
            except (OSError, ValueError):     # no such file, or no possible name of one
                continue
        return Files(self.path, {**found, **self.members})

    def sample(self, name: str, size: int) -> Files:
        """The whole lines among the first `size` bytes of a file, as a file of the same name."""
        head = self.head(name, size)
        if len(head) == size and b"\n" in head:
            head = head[:head.rindex(b"\n") + 1]
        return Files(self.path, {name: Member(Memory(head), name, len(head), self.members[name].split)})

    @cached_property
    def _folders(self) -> dict[str, tuple[str, str]]:
        return dict(folder_splits(self.names))

    def folder_split(self, name: str) -> str | None:
        """'train' | 'val' | 'test' where the file lies in a folder of that name (see names.folder_splits), or --test says it."""
        return self.members[name].split or self._folders.get(folder_of(name), ("", ""))[0] or None

    def folder(self, name: str) -> str:
        """The file's folder without the part that says the split: 'roses' of 'train/roses/0412.jpg'."""
        return self._folders.get(folder_of(name), ("", folder_of(name)))[1]

    def classes(self, names: Sequence[str]) -> list[str]:
        """The class of each of these files: its first folder below those that all share and the split's; '' where it lies
        in none."""
        return classes_of([self.folder(name) for name in names])

    def split(self, name: str) -> str | None:
        """The split that the folder, or else the file's own name, says. For files that hold many examples each."""
        return self.folder_split(name) or file_split(name)

    def open_bytes(self, name: str) -> BinaryIO:
        """The file's bytes as a stream, unpacked. Errors while reading it come as OSError, EOFError or the like (BROKEN)."""
        member = self.members[name]
        raw = member.store.open(member.stored)
        if member.stored.endswith(".gz") and not name.endswith(".gz"):
            return limited(cast(BinaryIO, gzip.GzipFile(fileobj=raw)), raw, member.size, name)
        if member.stored.endswith(".xz") and not name.endswith(".xz"):
            return limited(cast(BinaryIO, lzma.LZMAFile(raw)), raw, member.size, name)
        return raw

    def read(self, name: str) -> bytes:
        """All bytes of a file, unpacked. Raises DataError."""
        try:
            with self.open_bytes(name) as stream:
                return stream.read()
        except BROKEN as error:
            raise DataError(f"the file cannot be read: {error or type(error).__name__}", name, "Replace or remove it.") from None

    def head(self, name: str, size: int = 65536) -> bytes:
        """The first bytes of a file. Raises DataError."""
        try:
            with self.open_bytes(name) as stream:
                return stream.read(size)
        except BROKEN as error:
            raise DataError(f"the file cannot be read: {error or type(error).__name__}", name, "Replace or remove it.") from None

    def is_binary(self, name: str) -> bool:
        """Whether the beginning holds bytes that no text has."""
        head = self.head(name, 8192)
        return b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))

    def lines(self, name: str, encoding: str = "utf-8", newline: str = "\n") -> Iterator[str]:
        """Lines with their end, streamed. newline: '\\n' parts at it alone, '' also at '\\r' (for csv).

        Raises DataError: a binary file; bytes that are not of this encoding (the fix names --encoding).
        """
        if self.is_binary(name):
            raise DataError("this is no text file", name, "Give a text file (CSV, TSV, JSONL, …), or remove it.")
        try:
            with self.open_bytes(name) as stream, io.TextIOWrapper(stream, self.codec(name, encoding), newline=newline) as text:
                yield from text
        except UnicodeDecodeError as error:
            raise self.undecodable(name, encoding, error) from None
        except BROKEN as error:
            raise DataError(f"the file cannot be read: {error or type(error).__name__}", name, "Replace or remove it.") from None

    def text(self, name: str, encoding: str = "utf-8") -> str:
        """The whole file as text. Raises DataError as `lines` does."""
        return "".join(self.lines(name, encoding))

    def codec(self, name: str, encoding: str) -> str:
        """The codec for `encoding`, a byte order mark taken off. Raises OptionError for one that is not known."""
        try:
            "".encode(encoding)
        except LookupError:
            known = ("utf-8", "latin-1", "cp1252", "utf-16")
            raise OptionError(f"there is no encoding {encoding!r}", "--encoding", near(encoding, known)) from None
        if self.head(name, 2) in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
        return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding

    def undecodable(self, name: str, encoding: str, error: UnicodeDecodeError) -> DataError:
        with self.open_bytes(name) as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError as found:
                    byte = f"0x{line[found.start]:02x}"
                    return DataError(f"byte {byte} is not {encoding}", self.where(name, number),
                                     "Say --encoding latin-1 (or cp1252, … whichever the file was written in).")
        return DataError(f"the bytes are not {encoding}: {error.reason}", name, "Say --encoding latin-1, or which it is.")

    def fingerprint(self) -> str:
        """A hash of all names and contents, 32 hex digits."""
        whole = hashlib.blake2b(digest_size=16)
        stores: dict[int, tuple[Store, list[str]]] = {}
        for name, member in self.members.items():
            whole.update(f"{name}\0{member.stored}\0{member.split}\0".encode())
            stores.setdefault(id(member.store), (member.store, []))[1].append(member.stored)
        for store, stored in stores.values():
            whole.update(store.digest(stored))
        return whole.hexdigest()


class Folder:
    """Files of a folder and those below it. Links are followed, loops are not."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        seen: set[tuple[int, int]] = set()
        waiting = [("", self.root)]
        while waiting:
            prefix, folder = waiting.pop()
            try:
                here = folder.stat()
                entries = [] if (here.st_dev, here.st_ino) in seen else list(os.scandir(folder))
            except OSError as error:
                raise DataError(f"the folder cannot be listed: {error.strerror}", str(folder), "Allow reading it, or remove it.") from None
            seen.add((here.st_dev, here.st_ino))
            for entry in entries:
                if entry.is_dir():
                    if not hidden(entry.name):
                        waiting.append((f"{prefix}{entry.name}/", Path(entry.path)))
                elif entry.is_file():
                    found[prefix + entry.name] = entry.stat().st_size
            if len(found) > MOST_FILES:
                raise DataError(f"there are more than {MOST_FILES:,} files", str(self.root),
                                "Pack the examples into arrays (.npz) or a table.")
        return found

    def open(self, name: str) -> BinaryIO:
        return (self.root / name).open("rb")

    def digest(self, names: Sequence[str]) -> bytes:
        def one(name: str) -> bytes:
            try:
                return hash_file(self.root / name)
            except OSError:                   # whoever reads it tells the user
                return b"cannot be read"

        with ThreadPoolExecutor(4) as pool:
            return b"".join(pool.map(one, names))


class Single:
    """One file that is no archive."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sizes(self) -> Mapping[str, int]:
        return {self.path.name: self.path.stat().st_size}

    def open(self, name: str) -> BinaryIO:
        return self.path.open("rb")

    def digest(self, names: Sequence[str]) -> bytes:
        return hash_file(self.path)


class Memory:
    """Bytes that are in memory, under any name."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def sizes(self) -> Mapping[str, int]:
        return {}

    def open(self, name: str) -> BinaryIO:
        return io.BytesIO(self.content)

    def digest(self, names: Sequence[str]) -> bytes:
        return hashlib.blake2b(self.content, digest_size=16).digest()


class Zip:
    """Members of a zip archive; zipfile lets several threads read at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.zip = zipfile.ZipFile(path)
        except MISLEADING as error:
            raise unreadable(path, error) from None
        if any(entry.flag_bits & 1 for entry in self.zip.infolist()):
            raise DataError("the archive is locked with a password", str(path), "Unpack it and give the folder.")
        bounded(sum(entry.file_size for entry in self.zip.infolist()), path, len(self.zip.infolist()))

    def sizes(self) -> Mapping[str, int]:
        return {entry.filename: entry.file_size for entry in self.zip.infolist() if entry.filename and not entry.is_dir()}

    def open(self, name: str) -> BinaryIO:
        return cast(BinaryIO, self.zip.open(name))

    def digest(self, names: Sequence[str]) -> bytes:
        return hash_file(self.path)


class Tar:
    """Members of a tar archive. A compressed one is unpacked once into an unnamed temporary file, so that members can be
    read in any order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        try:
            self.file: BinaryIO = path.open("rb") if path.suffix == ".tar" else unpacked(path)
            with tarfile.open(fileobj=self.file, mode="r:") as tar:
                self.entries = {entry.name: (entry.offset_data, entry.size) for entry in tar if entry.isreg()}
        except MISLEADING as error:
            raise unreadable(path, error) from None

    def __del__(self) -> None:
        if hasattr(self, "file"):
            self.file.close()

    def sizes(self) -> Mapping[str, int]:
        return {name: size for name, (_, size) in self.entries.items()}

    def open(self, name: str) -> BinaryIO:
        offset, size = self.entries[name]
        with self.lock:
            self.file.seek(offset)
            return io.BytesIO(self.file.read(size))

    def digest(self, names: Sequence[str]) -> bytes:
        return hash_file(self.path)


def archive(path: Path) -> Store:
    return Zip(path) if path.name.lower().endswith(".zip") else Tar(path)


def is_archive(name: str) -> bool:
    return name.lower().endswith(ARCHIVES)


def unpacked(path: Path) -> BinaryIO:
    """A compressed tar's bytes in a temporary file that vanishes with the process."""
    name = path.name.lower()
    opener: Any = gzip.open if name.endswith("gz") else lzma.open if name.endswith("xz") else bz2.open
    out = cast(BinaryIO, tempfile.TemporaryFile())        # noqa: SIM115 – closed by the Tar that reads it
    try:
        with opener(path, "rb") as stream:
            while block := stream.read(1 << 20):
                out.write(block)
                bounded(out.tell(), path)
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return out


def limited(stream: BinaryIO, raw: BinaryIO, packed: int, name: str) -> BinaryIO:
    """`stream`, which unpacks `raw` of so many bytes, refusing a bomb."""
    return cast(BinaryIO, io.BufferedReader(Limited(stream, raw, packed, name), 1 << 18))


class Limited(io.RawIOBase):
    def __init__(self, stream: BinaryIO, raw: BinaryIO, packed: int, name: str) -> None:
        self.stream, self.raw, self.packed, self.name, self.count = stream, raw, packed, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        block = self.stream.read(len(buffer))     # type: ignore[arg-type]
        self.count += len(block)
        if self.count > min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * self.packed)):
            raise bomb(self.name)
        buffer[:len(block)] = block               # type: ignore[index]
        return len(block)

    def close(self) -> None:
        self.stream.close()
        self.raw.close()
        super().close()


def bounded(size: int, path: Path, files: int = 1) -> None:
    """Raises DataError where an archive unpacks to more than is believable."""
    if size > min(MOST_BYTES, max(FREE_BYTES, MOST_RATIO * path.stat().st_size)) or files > MOST_FILES:
        raise bomb(str(path))


def bomb(where: str) -> DataError:
    return DataError("the archive unpacks to far more than its size lets expect", where,
                     "If it is meant so, unpack it and give the folder.")


def unreadable(path: Path, error: BaseException) -> DataError:
    return DataError(f"the archive cannot be read: {error or type(error).__name__}", str(path), "Fetch or make it anew.")


def existing_part(path: Path) -> tuple[Path, str]:
    """The longest part of `path` that exists, and the rest with '/' between. Raises DataError where there is none."""
    outer = path
    rest: list[str] = []
    while not outer.exists():
        rest.insert(0, outer.name)
        if outer.parent == outer:
            raise missing(path)
        outer = outer.parent
    if not (outer.is_dir() or outer.is_file()):
        raise DataError("this is neither a file nor a folder", str(path), "Give a folder, a file or an archive.")
    if not os.access(outer, os.R_OK):
        raise DataError("there is no permission to read this", str(outer), "Allow reading it.")
    inner = "/".join(rest)
    if inner and outer.is_dir():
        here = os.listdir(outer)
        if len(rest) > 1 or not (any(common_stem(entry) == inner.lower() and file_split(entry) for entry in here)
                                 or sides([entry.removesuffix(".gz").removesuffix(".xz") for entry in here], inner)):
            raise missing(path)
    return outer, inner


def sides(names: Iterable[str], stem: str) -> list[str]:
    """The names that are `stem` but for their endings, where there are several: news.en and news.de."""
    found = [name for name in names if name.removesuffix(ending(name)) == stem]
    return found if len(found) > 1 else []


def missing(path: Path) -> DataError:
    try:
        around = sorted(os.listdir(path.parent))
    except OSError:
        around = []
    hint = near(path.name, around) if around and len(around) <= 1000 else ""
    return DataError("there is no file or folder at this path", str(path), hint if hint.startswith("Did") else "Check the path.")


def visible(members: Mapping[str, Member]) -> dict[str, Member]:
    """Without hidden files and documents; '.gz' and '.xz' taken off the names."""
    kept: dict[str, Member] = {}
    documents: dict[str, Member] = {}
    for stored, member in members.items():
        parts = stored.replace("\\", "/").lstrip("/").split("/")
        if ".." in parts or any(hidden(part) for part in parts):
            continue
        name = "/".join(part for part in parts if part not in ("", ".")).encode("utf-8", "replace").decode()      # no lone surrogates
        if not is_archive(name) and name.endswith((".gz", ".xz")) and name[:-3] not in members:
            name = name[:-3]
        last = parts[-1].lower()
        (documents if last.startswith(DOCUMENTS) or "readme" in last else kept)[name] = member
    return kept or documents


def classes_of(places: Sequence[str]) -> list[str]:
    """The class of each example from the folder that it lies in, without the split's: the first below those that all share."""
    folders = [place.split("/") if place else [] for place in places]
    depth, shortest = 0, min(map(len, folders), default=0)
    while depth < shortest and len({folder[depth] for folder in folders}) == 1:
        depth += 1
    if depth and all(len(folder) == depth for folder in folders):
        depth -= 1                            # one folder holds them all: it is the only class
    return [folder[depth] if len(folder) > depth else "" for folder in folders]


def shared_top(names: Iterable[str]) -> str:
    """'flowers/' where all files lie in several folders below that one."""
    parts = [name.split("/") for name in names]
    tops, below = {part[0] for part in parts}, {part[1] for part in parts if len(part) > 2}
    return f"{tops.pop()}/" if len(tops) == 1 and len(below) > 1 else ""


def hidden(part: str) -> bool:
    return (part.startswith(".") and part not in (".", "..")) or part == "__MACOSX"


def in_order(name: str) -> tuple[str, ...]:
    """Folder by folder, so that 'a/z' comes before 'a-b/c'."""
    return tuple(name.split("/"))


def hash_file(path: Path) -> bytes:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest()


def replace_path(files: Files, path: Path) -> Files:
    return Files(path, files.members)
