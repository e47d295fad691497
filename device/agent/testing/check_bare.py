#!/usr/bin/env python3
"""What the device modules ask of the world around them, as a linker sees it. Usage: check_bare.py LD NM OBJDUMP OUT ARCHIVE...

Links all archives into one relocatable object (OUT) and reports, exit code 1:

  undefined  a symbol that neither the modules nor a bare C library gives: operator new and delete, malloc, exceptions,
             RTTI, guards of local statics, exit handlers all show up here, by the list of what is allowed
  rtti       type information that the modules themselves define
  startup    code to be run before main: sections .init_array, .preinit_array, .ctors
"""
import re
import subprocess
import sys

# Freestanding C (GCC needs the mem* functions everywhere), the reset of a failed assert, and the crypto port.
ALLOWED = re.compile(r"^(mem(cmp|move|cpy|set|chr)|str(len|cmp|ncmp)|__assert_fail|psa_\w+|_GLOBAL_OFFSET_TABLE_)$")
RTTI = re.compile(r"^_ZT[IS]")
STARTUP = re.compile(r"\s(\.(?:init_array|preinit_array|ctors)\S*)\s")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main():
    ld, nm, objdump, linked, *archives = sys.argv[1:]
    if not archives:
        sys.exit("check_bare: no archives given")
    subprocess.run([ld, "-r", "--whole-archive", *archives, "-o", linked], check=True)
    undefined = [line.split()[-1] for line in output_of(nm, "-u", linked).splitlines() if line.strip()]
    defined = [line.split()[-1] for line in output_of(nm, "--defined-only", linked).splitlines() if line.strip()]
    findings = [f"undefined: {symbol}" for symbol in undefined if not ALLOWED.match(symbol)]
    findings += [f"rtti: {symbol}" for symbol in defined if RTTI.match(symbol)]
    findings += [f"startup: {section}" for section in STARTUP.findall(output_of(objdump, "-h", linked))]
    for finding in sorted(set(findings)):
        print(finding)
    if len(defined) < 10:
        sys.exit(f"check_bare: only {len(defined)} symbols in {len(archives)} archives")
    print(f"{len(archives)} archives, {len(defined)} symbols, {len(set(findings))} findings")
    sys.exit(1 if findings else 0)


main()
