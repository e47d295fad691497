#!/usr/bin/env python3
"""clang-tidy over every translation unit of ours, two refinements beyond run-clang-tidy: units that were read clean before, and
of which nothing has changed since, are not read again; and the checks fit the kind of the unit.

A unit's record names the digest of every file of ours that it includes, of its command, of .clang-tidy, and of the list of
installed packages (so a new system header counts as a change). Only clean readings are recorded. --no-record reads all.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import threading

OURS = re.compile(r"^(contract|device|server|monitor|operator|simulator|bench|tests)/")
AWAITS = re.compile(r"\bco_(await|return|yield)\b")


def checks_for(unit: str, text: str) -> str:
    """What is added to .clang-tidy for this unit."""
    if unit.endswith("_test.cpp"):
        # The path-sensitive analyzer unfolds every EXPECT into branches and takes minutes for one file.
        return "-clang-analyzer-*"
    if AWAITS.search(text):
        # clang-analyzer 14 does not follow the making of a coroutine's frame: it takes its promise for memory nobody set
        # and blames Asio's awaitable.hpp. In the units that await, and only there, these two of its checks are left out.
        return "-clang-analyzer-core.CallAndMessage,-clang-analyzer-core.NullDereference"
    return ""


def digest(*parts: bytes) -> str:
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


class Reader:
    def __init__(self, root: pathlib.Path, build: pathlib.Path, records: pathlib.Path | None):
        self.root = root
        self.build = build
        self.records = records
        self.files: dict[str, str] = {}
        self.lock = threading.Lock()
        version = subprocess.run(["clang-tidy", "--version"], check=True, capture_output=True).stdout
        packages = subprocess.run(["dpkg-query", "-W"], check=True, capture_output=True).stdout
        self.basis = digest(version, packages, (root / ".clang-tidy").read_bytes())

    def file_digest(self, path: str) -> str:
        with self.lock:
            known = self.files.get(path)
        if known is None:
            try:
                known = digest((self.root / path).read_bytes())
            except OSError:
                known = "absent"
            with self.lock:
                self.files[path] = known
        return known

    def own_includes(self, command: list[str], directory: str) -> list[str]:
        """Every file of the repository or of the build that the unit reads, relative to the root."""
        plain = []
        skip = False
        for word in command:
            if skip:
                skip = False
            elif word in ("-o", "-MF", "-MT"):
                skip = True
            elif word not in ("-c", "-MD", "-MMD"):
                plain.append(word)
        rule = subprocess.run([*plain, "-MM"], cwd=directory, check=True, capture_output=True, text=True).stdout
        names = rule.split(":", 1)[1].replace("\\\n", " ").split()
        return sorted(os.path.relpath(os.path.join(directory, name), self.root) for name in names)

    def read(self, entry: dict) -> tuple[str, str, int]:
        """(how it ended: 'clean', 'unchanged' or 'found'; what clang-tidy said; its exit code)"""
        unit = os.path.relpath(entry["file"], self.root)
        command = shlex.split(entry["command"])
        checks = checks_for(unit, pathlib.Path(entry["file"]).read_text())
        place = entry["command"].replace(str(self.build), "BUILD").replace(str(self.root), "ROOT")
        record = None
        if self.records is not None:
            record = self.records / digest(self.basis.encode(), unit.encode(), place.encode(), checks.encode())
            if record.exists():
                files = json.loads(record.read_text())
                if all(self.file_digest(path) == then for path, then in files.items()):
                    return "unchanged", "", 0
        includes = {path: self.file_digest(path) for path in self.own_includes(command, entry["directory"])}
        arguments = ["clang-tidy", "-quiet", "-p", str(self.build)]
        if checks:
            arguments.append(f"-checks={checks}")
        done = subprocess.run([*arguments, entry["file"]], capture_output=True, text=True)
        found = re.search(r": (error|warning): ", done.stdout) is not None
        if done.returncode != 0 or found:
            return "found", done.stdout + (done.stderr if done.returncode != 0 else ""), done.returncode or 1
        if record is not None:
            part = record.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            part.write_text(json.dumps(includes))
            part.replace(record)
        return "clean", "", 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, help="the folder with compile_commands.json, configured for clang")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--no-record", action="store_true", help="read every unit, and record nothing")
    parser.add_argument("units", nargs="*", help="only units whose path contains one of these")
    arguments = parser.parse_args()

    root = pathlib.Path(__file__).resolve().parents[2]
    build = arguments.build.resolve()
    records = None
    if not arguments.no_record:
        records = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "otaria" / "tidy"
        records.mkdir(parents=True, exist_ok=True)
    entries = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        unit = os.path.relpath(entry["file"], root)
        if OURS.match(unit) and (not arguments.units or any(part in unit for part in arguments.units)):
            entries.append(entry)
    # The largest first: at the end no core waits for one long unit.
    entries.sort(key=lambda entry: -os.path.getsize(entry["file"]))

    reader = Reader(root, build, records)
    ends = {"clean": 0, "unchanged": 0, "found": 0}
    findings: set[str] = set()
    code = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for how, said, unit_code in pool.map(reader.read, entries):
            ends[how] += 1
            code = max(code, unit_code)
            if not said:
                continue
            print(said.replace(f"{root}/", ""), end="", flush=True)
            findings.update(
                line.replace(f"{root}/", "") for line in said.splitlines() if re.search(r": (error|warning): ", line)
            )
    if findings:
        print("tidy: each finding once:")
        print("\n".join(sorted(findings)))
    print(
        f"tidy: {len(entries)} translation units: {ends['clean']} read clean, {ends['unchanged']} unchanged since they were, "
        f"{ends['found']} with findings, exit code {code}"
    )
    return code


if __name__ == "__main__":
    sys.exit(main())
