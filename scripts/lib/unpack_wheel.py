"""Unpacks members of a wheel into a folder: unpack_wheel.py WHEEL FOLDER [PREFIX...].

Members whose names begin with one of the prefixes, all without one. Only what the wheel's own RECORD lists with a checksum is unpacked,
and held to it; what it does not list is left out, and said. A wheel with a name that could lead out of the folder, or that two members
would share, is refused before anything is written. The folder may be there already; a file in it is written under another name first,
so none is ever half a file. With --requires EXTRA in place of the prefixes: prints what the wheel requires for that extra, one
requirement a line, and unpacks nothing.
"""

import sys

sys.dont_write_bytecode = True  # No folder of compiled modules in the repository.
import end_with_parent  # noqa: E402, F401: before everything else

import base64
import csv
import hashlib
import io
import os
import re
import secrets
import stat
import unicodedata
import zipfile
import zlib

CHUNK = 1 << 22
HASHES = ("sha256", "sha384", "sha512")
# A wheel's record has no checksum of itself and of its signatures.
OF_THE_RECORD = re.compile(r"[^/]+\.dist-info/RECORD(\.jws|\.p7s)?")
MOST_NAMED = 3
LONGEST_RECORD = 64 << 20


def the_one(wheel, file):
    found = [name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/" + file, name)]
    if len(found) != 1:
        raise ValueError(f"the wheel should have one {file} in a .dist-info folder, but has {len(found)}")
    if wheel.getinfo(found[0]).file_size > LONGEST_RECORD:
        raise ValueError(f"{found[0]} has more than {LONGEST_RECORD >> 20} MB")
    try:
        return wheel.read(found[0]).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{found[0]} is no text in UTF-8")


def recorded(wheel):
    """Name of each member that the record has a checksum of -> (kind of checksum, checksum)."""
    digests = {}
    for row in rows_of(the_one(wheel, "RECORD")):
        if len(row) != 3:
            raise ValueError(f"a line of the wheel's RECORD should have 3 fields, but has {len(row)}")
        name, digest, _ = row
        if not digest:
            continue
        kind, _, value = digest.partition("=")
        if kind not in HASHES:
            raise ValueError(f"the wheel's RECORD has a checksum of a kind that is not trusted for {shown(name)}: {shown(kind)}")
        if name in digests:
            raise ValueError(f"the wheel's RECORD lists {shown(name)} twice")
        digests[name] = (kind, value.rstrip("="))
    return digests


def rows_of(record):
    try:
        return list(csv.reader(io.StringIO(record), strict=True))
    except csv.Error as error:
        raise ValueError(f"the wheel's RECORD cannot be read: {error}")


def shown(name):
    """A name as it stands in a sentence: on one line, and not too long."""
    text = ascii(name)[1:-1]
    return text if len(text) <= 120 else text[:117] + "..."


def check_names(members):
    """Raises ValueError for a member that would not be a file of its own inside the folder, on any file system."""
    # Each name as a file system that knows no case has it -> whether it is a folder.
    places = {}
    for member in members:
        # The name as it stands in the wheel: Python's reader cuts it off at a NUL byte, and has no backslashes on Windows.
        name = member.orig_filename
        is_folder = name.endswith("/")
        parts = (name[:-1] if is_folder else name).split("/")
        if any(part in ("", ".", "..") for part in parts) or re.search(r"[\x00-\x1f\x7f\\:]", name):
            raise ValueError(f"the wheel has a member whose name may lead out of the folder: {shown(name)}")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG):
            what = "a symbolic link" if kind == stat.S_IFLNK else "no regular file"
            raise ValueError(f"the wheel has a member that is {what}: {shown(name)}")
        same = [unicodedata.normalize("NFC", part).casefold().rstrip(". ") for part in parts]
        for length in range(1, len(same) + 1):
            place = tuple(same[:length])
            whole = length == len(same)
            folder = is_folder or not whole
            if place in places and not (folder and places[place]):
                raise ValueError(f"the wheel has two members that would be one file: {shown(name)} is the second")
            places[place] = folder


def unpack(wheel, folder, prefixes):
    check_names(wheel.infolist())
    digests = recorded(wheel)
    wanted = [
        member
        for member in wheel.infolist()
        if not member.is_dir() and (not prefixes or member.filename.startswith(tuple(prefixes)))
    ]
    members = [member for member in wanted if member.filename in digests]
    say_left_out([m.filename for m in wanted if m.filename not in digests and not OF_THE_RECORD.fullmatch(m.filename)])
    if not members:
        raise ValueError(f"the wheel has nothing in its RECORD called {' or '.join(prefixes) or 'anything'}")
    total = sum(member.file_size for member in members)
    done = shown_bytes = 0
    for member in members:
        path = os.path.join(folder, *member.filename.split("/"))
        if not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
            raise ValueError(f"{shown(member.filename)} would lie outside of the folder")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        kind, expected = digests[member.filename]
        digest = hashlib.new(kind)
        # A name that no other member has.
        part = f"{path}.{secrets.token_hex(8)}"
        try:
            with wheel.open(member) as source, open(part, "xb") as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    target.write(chunk)
                    done += len(chunk)
                    if sys.stderr.isatty() and done - shown_bytes > 20e6:
                        shown_bytes = done
                        print(f"\r{done / 1e6:.0f} of {total / 1e6:.0f} MB", end="", file=sys.stderr, flush=True)
            found = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
            if expected != found:
                name = kind.upper().replace("SHA", "SHA-")
                raise ValueError(f"{shown(member.filename)} has not the {name} that the wheel's RECORD has of it")
            os.replace(part, path)
        finally:
            if os.path.lexists(part):
                os.remove(part)
    if shown_bytes > 0:
        print("\r", end="", file=sys.stderr)


def say_left_out(names):
    if not names:
        return
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    first = ", ".join(shown(name) for name in names[:MOST_NAMED])
    print(f"Left out, as the wheel's RECORD does not list it: {first}{more}.", file=sys.stderr)


def requirements(wheel, extra):
    for line in the_one(wheel, "METADATA").splitlines():
        found = re.fullmatch(r"Requires-Dist: ([^;]+);.*\bextra == ['\"]" + re.escape(extra) + r"['\"].*", line)
        if found:
            print(found[1].strip())


def main(file, second, *rest):
    with zipfile.ZipFile(file) as wheel:
        if second == "--requires":
            requirements(wheel, *rest)
        else:
            unpack(wheel, second, rest)


try:
    main(*sys.argv[1:])
# RuntimeError: encrypted; NotImplementedError: a compression that Python does not know.
except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, zlib.error, zipfile.BadZipFile) as error:
    sys.exit(f"Error: {error}")
