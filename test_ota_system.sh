#!/usr/bin/env bash
# The brief's name for the whole-system test: a front of tests/test_ota_system.sh, with the same arguments.
exec "$(dirname "${BASH_SOURCE[0]}")/tests/test_ota_system.sh" "$@"
