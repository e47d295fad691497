#!/usr/bin/env python3
"""House rules as a test: what a reader of the repository may rely on. Usage: house_rules.py REPOSITORY

  paths        no path of somebody's machine in a tracked file
  finished     no words that mark unfinished work, no skipped or silenced checks
  size         no tracked file of 1 MiB or more
  links        every relative link in a Markdown file leads somewhere
  architecture ARCHITECTURE.md names every top-level folder and every module folder, and none that is not there
  promises     docs/promises.md and docs/security.md name only tests that exist; each attack is named in docs/security.md, and each
               threat there names a whole-system case, or says that it is not stopped
  decisions    docs/decisions/README.md lists every decision
  scripts      every shell script is strict (set -euo pipefail) unless it is sourced or a mere front, and has its run bit
  cases        every whole-system case begins with its claim

Prints each violation as FILE:LINE: what; exit code 1 when there is one.
"""
import pathlib
import re
import subprocess
import sys

CODE = {".cpp", ".hpp", ".h", ".c", ".ts", ".tsx", ".sh", ".py"}
# Written in two halves so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "not imple" + "mented", "st" + "ub"]) + r")\b")
SILENCED = re.compile("GTEST_" + r"SKIP|DISABLED" + r"_|it\.sk" + r"ip|test\.sk" + r"ip|\|\| tr" + r"ue\s*$")
# Absolute paths below folders that only exist on somebody's own machine.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|work|root|Users)/[\w.-]+")
CASES = {"tests/cases", "tests/security"}
PARTS_OF_A_MODULE = {"testing", "test_support", "fuzz"}
MIB = 1024 * 1024
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


class Repository:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root, check=True, capture_output=True, text=True,
        ).stdout
        self.files = sorted(pathlib.PurePosixPath(name) for name in listed.split("\0") if name and (self.root / name).is_file())
        self.violations = []

    def violated(self, file, line, what):
        self.violations.append(f"{file}:{line}: {what}")

    def text(self, file):
        """The file's text, or nothing for a binary one."""
        data = (self.root / file).read_bytes()
        return "" if b"\0" in data[:8192] else data.decode("utf-8", errors="replace")

    def with_suffix(self, *suffixes):
        return [file for file in self.files if file.suffix in suffixes]

    def folders(self):
        """Every folder with a tracked file, as posix text."""
        found = set()
        for file in self.files:
            found.update(str(parent) for parent in file.parents if str(parent) != ".")
        return found


def check_lines(repository):
    for file in repository.files:
        text = repository.text(file)
        # A licence is quoted to the letter.
        if str(file) == "LICENSE":
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line):
                repository.violated(file, number, "a machine's own path: " + line.strip()[:80])
            if file.suffix in CODE and UNFINISHED.search(line):
                repository.violated(file, number, "a word that marks unfinished work: " + line.strip()[:80])
            if SILENCED.search(line):
                repository.violated(file, number, "a skipped or silenced check: " + line.strip()[:80])


def check_sizes(repository):
    for file in repository.files:
        size = (repository.root / file).stat().st_size
        if size >= MIB:
            repository.violated(file, 1, f"{size} bytes; tracked files stay below 1 MiB")


def check_links(repository):
    for file in repository.with_suffix(".md"):
        in_code = False
        for number, line in enumerate(repository.text(file).splitlines(), 1):
            if line.lstrip().startswith("```"):
                in_code = not in_code
            if in_code:
                continue
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:|#", target):
                    continue
                path = repository.root / file.parent / target.split("#")[0]
                if not path.exists():
                    repository.violated(file, number, f"a link to {target}, which is not there")


def named_in_architecture(text):
    """Folder paths of the tree in ARCHITECTURE.md: lines of its code block, two spaces of indent per level."""
    block = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    if not block:
        return None
    named, stack = {}, []
    for offset, line in enumerate(block[1].splitlines()):
        match = re.match(r"( *)([\w.-]+)/(?:\s|$)", line)
        if not match:
            continue
        depth = len(match[1]) // 2
        stack = stack[:depth] + [match[2]]
        named["/".join(stack)] = text[: block.start(1)].count("\n") + 1 + offset
    return named


def check_architecture(repository):
    page = pathlib.PurePosixPath("ARCHITECTURE.md")
    if page not in repository.files:
        return repository.violated(page, 1, "is missing")
    named = named_in_architecture(repository.text(page))
    if named is None:
        return repository.violated(page, 1, "has no ```text block with the tree")
    folders = repository.folders()
    modules = {str(file.parent) for file in repository.files if file.name == "CMakeLists.txt" and str(file.parent) != "."}
    # Header-only modules are declared in the CMakeLists.txt above them: a folder with a header of ours is one.
    modules |= {str(file.parent) for file in repository.with_suffix(".hpp")}
    modules = {module for module in modules if pathlib.PurePosixPath(module).name not in PARTS_OF_A_MODULE}
    top_level = {folder for folder in folders if "/" not in folder}
    for folder in sorted((modules | top_level) - set(named)):
        repository.violated(page, 1, f"does not name {folder}/")
    for folder in sorted(set(named) - folders):
        repository.violated(page, named[folder], f"names {folder}/, which is not there")


def check_promises(repository):
    cases = {file.stem: str(file.parent) for file in repository.files if str(file.parent) in CASES}
    named = {page: check_named_tests(repository, pathlib.PurePosixPath(page), cases) for page in ("docs/promises.md", "docs/security.md")}
    for case, folder in sorted(cases.items()):
        if folder == "tests/security" and case not in named["docs/security.md"]:
            repository.violated("docs/security.md", 1, f"does not name system/{case}")
    check_threats(repository, pathlib.PurePosixPath("docs/security.md"))


def check_threats(repository, page):
    if page not in repository.files:
        return
    for number, line in enumerate(repository.text(page).splitlines(), 1):
        is_threat = re.match(r"\| (?:[AM]?\d+(?:, )?)+ \|", line)
        if is_threat and "`system/" not in line and "not stopped by this software" not in line:
            repository.violated(page, number, "a threat without a whole-system case: " + line[:60])


def check_named_tests(repository, page, cases):
    """The cases that the page names; each case, file and unit test (`file.cpp`: `TestName`) must be there."""
    named = set()
    if page not in repository.files:
        repository.violated(page, 1, "is missing")
        return named
    for number, line in enumerate(repository.text(page).splitlines(), 1):
        for case in re.findall(r"`system/([\w-]+)`", line):
            named.add(case)
            if case not in cases:
                repository.violated(page, number, f"names system/{case}, which is not there")
        for path, test in re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:cpp|sh|py|md|json|yaml))`(?:: `(\w+)`)?", line):
            if not (repository.root / path).is_file():
                repository.violated(page, number, f"names {path}, which is not there")
            elif test and not re.search(rf"\b{test}\b", repository.text(pathlib.PurePosixPath(path))):
                repository.violated(page, number, f"names {test}, which is not in {path}")
    return named


def check_decisions(repository):
    page = pathlib.PurePosixPath("docs/decisions/README.md")
    index = repository.text(page) if page in repository.files else ""
    for file in repository.files:
        if file.parent == page.parent and re.match(r"\d{4}-", file.name) and f"]({file.name})" not in index:
            repository.violated(page, 1, f"does not list {file.name}")


def check_scripts(repository):
    for file in repository.with_suffix(".sh"):
        text = repository.text(file)
        if not text.startswith("#!"):
            continue  # sourced
        if not (repository.root / file).stat().st_mode & 0o100:
            repository.violated(file, 1, "has no run bit")
        is_front = re.search(r"^exec ", text, re.MULTILINE) and len(text.splitlines()) < 6
        if not is_front and "set -euo pipefail" not in text:
            repository.violated(file, 1, "is not strict: set -euo pipefail")


def check_cases(repository):
    for file in repository.files:
        if str(file.parent) in CASES and not re.match(r"# [A-Z0-9a-z_].{20,}\n", repository.text(file)):
            repository.violated(file, 1, "does not begin with its claim as a comment")


def main():
    repository = Repository(sys.argv[1] if len(sys.argv) > 1 else ".")
    checks = (
        check_lines, check_sizes, check_links, check_architecture, check_promises, check_decisions, check_scripts, check_cases,
    )
    for check in checks:
        check(repository)
    for violation in repository.violations:
        print(violation)
    print(f"house rules: {len(repository.files)} files, {len(repository.violations)} violations")
    return 1 if repository.violations else 0


if __name__ == "__main__":
    sys.exit(main())
