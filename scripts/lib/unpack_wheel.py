"""Unpacks members of a wheel into a folder: unpack_wheel.py WHEEL FOLDER [PREFIX...].

Members whose names begin with one of the prefixes, all without one. Each is held to the SHA-256 that the wheel's own record has of it.
The folder may be there already; a file in it is written under another name first, so none is ever half a file. With --requires EXTRA in
place of the prefixes: prints what the wheel requires for that extra, one requirement a line, and unpacks nothing.
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
import zipfile

CHUNK = 1 << 22


def recorded(wheel):
    """Name of each member -> its SHA-256."""
    [record] = [name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/RECORD", name)]
    rows = csv.reader(io.StringIO(wheel.read(record).decode()))
    return {name: digest.removeprefix("sha256=") for name, digest, _ in rows if digest.startswith("sha256=")}


def unpack(wheel, folder, prefixes):
    digests = recorded(wheel)
    members = [
        member
        for member in wheel.infolist()
        if not member.is_dir() and (not prefixes or member.filename.startswith(tuple(prefixes)))
    ]
    if not members:
        raise ValueError(f"the wheel has nothing called {' or '.join(prefixes)}")
    total = sum(member.file_size for member in members)
    done = shown = 0
    for member in members:
        path = os.path.join(folder, *member.filename.split("/"))
        if not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
            raise ValueError(f"{member.filename} would lie outside of the folder")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        digest = hashlib.sha256()
        with wheel.open(member) as source, open(path + ".part", "wb") as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                target.write(chunk)
                done += len(chunk)
                if sys.stderr.isatty() and done - shown > 20e6:
                    shown = done
                    print(f"\r{done / 1e6:.0f} of {total / 1e6:.0f} MB", end="", file=sys.stderr, flush=True)
        expected = digests.get(member.filename)
        found = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
        if expected is not None and expected != found:
            raise ValueError(f"{member.filename} has not the SHA-256 that the wheel's record has of it")
        os.replace(path + ".part", path)
    if shown > 0:
        print("\r", end="", file=sys.stderr)


def requirements(wheel, extra):
    [metadata] = [name for name in wheel.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
    for line in wheel.read(metadata).decode().splitlines():
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
except (OSError, ValueError, zipfile.BadZipFile) as error:
    sys.exit(f"Error: {error}")
