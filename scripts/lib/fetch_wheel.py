"""Fetches one wheel and goes on where an earlier download was broken off: fetch_wheel.py FOLDER REQUIREMENT [OPTION of pip download...].

This machine's own pip says where the wheel lies and opens every connection, so its indexes, find-links, constraints, certificates,
proxies and credentials count here as in pip itself, which offers no command for that. What has come lies in FOLDER/NAME.part, gets its
name only with the checksum that the index has of it, and is thrown away with another. Exit code 3, with the reason: this pip cannot be
asked so, nothing was fetched.
"""

import sys

sys.dont_write_bytecode = True  # No folder of compiled modules in the repository.
import end_with_parent  # noqa: E402, F401: before everything else

import hashlib
import os
import re

CHUNK = 1 << 16
CONNECTIONS = 20
CANNOT_ASK = 3


class Failure(Exception):
    """One sentence."""


def ask_pip(requirement, options):
    """pip's session, and its link to the wheel that it would download."""
    from pip._internal.cli import cmdoptions
    from pip._internal.commands import create_command

    command = create_command("download")
    parsed, names = command.parse_args([*options, requirement])
    parsed.ignore_installed, parsed.editables = True, []
    session = command._build_session(parsed)
    finder = command._build_package_finder(
        options=parsed, session=session, target_python=cmdoptions.make_target_python(parsed)
    )
    asked = [each for each in command.get_requirements(names, parsed, finder, session) if each.match_markers()]
    [wanted] = [each.req for each in asked if not each.constraint]
    specifier = wanted.specifier
    for each in asked:
        if each.constraint and plain(each.name) == plain(wanted.name):
            if each.link is not None:
                raise LookupError(f"a constraint says where {each.name} lies")
            specifier &= each.req.specifier
    return session, finder.find_best_candidate(wanted.name, specifier).best_candidate


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def megabytes(size):
    return f"{size / 1e6:.0f}" if size >= 1e7 else f"{size / 1e6:.1f}"


class Progress:
    """Shows how much has come: in place on a terminal, else a line each tenth."""

    def __init__(self):
        self.place = sys.stderr.isatty()
        self.shown = -1

    def show(self, done, total):
        share = int(done * (200 if self.place else 10) / total)
        if share == self.shown:
            return
        self.shown = share
        text = f"{megabytes(done)} of {megabytes(total)} MB"
        print(f"\r{text} " if self.place else text, end="" if self.place else "\n", file=sys.stderr, flush=True)

    def end(self):
        if self.place and self.shown >= 0:
            print(file=sys.stderr)


def say(text):
    print(text, file=sys.stderr, flush=True)


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def receive(session, link, part, progress):
    """One connection. True: all of it is in `part`, False: it broke off. Raises OSError where nothing more came."""
    start = size_of(part)
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start > 0 else {})}
    with session.get(link.url.split("#", 1)[0], headers=headers, stream=True) as response:
        said = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+)", response.headers.get("Content-Range", ""))
        if response.status_code == 416 or (response.status_code == 206 and (said is None or said[1] != str(start))):
            os.remove(part)
            raise Failure("the server has another file under this name than before; what had come was removed")
        if response.status_code not in (200, 206):
            raise Failure(f"the server answered {response.status_code} {response.reason}")
        if response.status_code == 206:
            total = int(said[2])
            say(f"Going on after {megabytes(start)} of {megabytes(total)} MB ...")
        else:
            if start > 0 and not link.is_file:
                say("The server sends files only whole: from the start again ...")
            start, total = 0, int(response.headers.get("Content-Length", 0))
        done = start
        try:
            with open(part, "ab" if start > 0 else "wb") as target:
                for chunk in response.iter_content(CHUNK):
                    target.write(chunk)
                    done += len(chunk)
                    if total > 0:
                        progress.show(done, total)
        except OSError:
            # Whether the network or the disk failed: what came before is whole.
            if done == start:
                raise
            return False
        if done < total and done == start:
            raise ConnectionError("the connection brought nothing")
        return done >= total


def fetch(session, link, folder):
    path = os.path.join(folder, link.filename)
    part = path + ".part"
    if link.hash_name is None and not link.is_file and size_of(part) > 0:
        say("The index has no checksum of this file, so nothing tells whether parts fit: from the start again ...")
        os.remove(part)
    # All of it came, and whoever asked for it was ended before it was put in its place.
    for whole in (path, part) if link.hash_name is not None else ():
        if os.path.exists(whole) and checksum(whole, link.hash_name) == link.hash:
            os.replace(whole, path)
            return
    progress = Progress()
    try:
        if not any(receive(session, link, part, progress) for _ in range(CONNECTIONS)):
            raise ConnectionError(f"{CONNECTIONS} connections broke off")
    except OSError as error:
        goes_on = " and goes on there when it is asked for again" if link.hash_name is not None else ""
        raise Failure(f"the download broke off after {megabytes(size_of(part))} MB{goes_on} ({error})")
    finally:
        progress.end()
    if link.hash_name is not None:
        found = checksum(part, link.hash_name)
        if found != link.hash:
            os.remove(part)
            raise Failure(f"{link.filename} should have the {link.hash_name} {link.hash}, but has {found}; it was removed")
    os.replace(part, path)


def checksum(path, kind):
    digest = hashlib.new(kind)
    with open(path, "rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


def main(folder, requirement, *options):
    try:
        session, candidate = ask_pip(requirement, options)
        link = None if candidate is None else candidate.link
    except (Exception, SystemExit) as error:  # Whatever another pip's insides do not have.
        say(f"{type(error).__name__}: {error}")
        sys.exit(CANNOT_ASK)
    if link is None:
        raise Failure(f"no {requirement} was found where this machine's pip looks")
    fetch(session, link, folder)


try:
    main(*sys.argv[1:])
except KeyboardInterrupt:
    sys.exit(130)
except (Failure, OSError) as error:
    sys.exit(f"Error: {error}")
