#!/usr/bin/env python3
"""Reads ctest's JUnit reports: prints the ten slowest tests and what failed, or (--closing-line) the closing line.

Exit code 0: reports are there and nothing failed. A report that is missing counts as one failure: a run that broke off
must never read as a success.
"""
import sys
import xml.etree.ElementTree as ElementTree


def read(paths):
    """(seconds, name, passed) of every test, and how many reports could not be read."""
    tests, unreadable = [], 0
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            print(f"test: no report {path}: {error}", file=sys.stderr)
            unreadable += 1
            continue
        for case in root.iter("testcase"):
            passed = case.get("status") == "run" and case.find("failure") is None
            tests.append((float(case.get("time") or 0), case.get("name"), passed))
    return tests, unreadable


def main(arguments):
    closing_line = "--closing-line" in arguments
    tests, unreadable = read([a for a in arguments if not a.startswith("--")])
    failed = [name for _, name, passed in tests if not passed]
    if closing_line:
        print(f"{len(tests) - len(failed)} passed, {len(failed) + unreadable} failed")
    else:
        print("test: the ten slowest")
        for seconds, name, _ in sorted(tests, reverse=True)[:10]:
            print(f"  {seconds:7.1f} s  {name}")
        for name in failed:
            print(f"test: FAILED {name}")
    return 0 if tests and not failed and not unreadable else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
