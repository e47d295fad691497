#!/usr/bin/env python3
"""Compares every golden example with the JSON Schema of its message.

contract/golden/index.json says for each what the schema must answer: accepts, rejects, or no_json when the bytes are not
even JSON to Python's parser. Usage: goldens_match_schema.py CONTRACT_FOLDER. Exit 1 lists what differs.
"""
import json
import pathlib
import sys

import jsonschema


def verdict(validator, payload):
    try:
        message = json.loads(payload.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError):
        return "no_json"
    return "accepts" if validator.is_valid(message) else "rejects"


def main():
    contract = pathlib.Path(sys.argv[1])
    validators = {}
    for name in ("notice", "status", "state"):
        schema = json.loads((contract / "schema" / f"{name}.schema.json").read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        validators[name] = jsonschema.Draft202012Validator(schema)

    golden = contract / "golden"
    index = json.loads((golden / "index.json").read_text("utf-8"))
    wrong = []
    for case in index:
        found = verdict(validators[case["message"]], (golden / case["file"]).read_bytes())
        if found != case["schema"]:
            wrong.append(f"{case['file']}: the schema {found}, the index says {case['schema']}")

    listed = {case["file"] for case in index}
    present = {path.relative_to(golden).as_posix() for path in golden.glob("*/*.json")}
    wrong += [f"{name}: not in the index" for name in sorted(present - listed)]
    for line in wrong:
        print(line)
    print(f"{len(index)} golden examples, {len(wrong)} differ")
    return 1 if wrong or not index else 0


if __name__ == "__main__":
    sys.exit(main())
