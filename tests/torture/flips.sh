#!/bin/bash
# flips.sh - 10,000 damaged ledgers and 10,000 damaged journals; 1,000 starts at once, one winner.
# Writes TAP, with what became of the damaged ones as comments.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
export CMOCKA_MESSAGE_OUTPUT=TAP TRUEUP_FLIPS=${FLIPS:-10000} TRUEUP_STARTS=${STARTS:-1000}
make -s "$build/tests/unit/test_ledger_flips" "$build/tests/unit/test_ledger_state"
"$build/tests/unit/test_ledger_flips"
"$build/tests/unit/test_ledger_state"
