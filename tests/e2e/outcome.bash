# SPDX-License-Identifier: MIT
# A program's outcome, compared with that of a plain run.

# outcome_of FILE COMMAND...: standard output, standard error and the status, into FILE.
outcome_of() {
    local file=$1 status=0
    shift
    "$@" >"$file" 2>"$file.errors" </dev/null || status=$?
    { echo "--- errors"; cat "$file.errors"; echo "--- status $status"; } >>"$file"
    rm "$file.errors"
}

# same_outcome COMMAND...: a plain run and a recorded one, whose trace is ./trace. {} in an argument becomes the
# name of the run; $normalize filters what may differ between two plain runs.
same_outcome() {
    outcome_of plain "${@//\{\}/plain}"
    outcome_of recorded "$UVSCOPE" record -q -o trace -- "${@//\{\}/recorded}"
    local file
    for file in plain recorded; do
        "${normalize[@]:-cat}" <"$file" >"$file.normal"
    done
    diff plain.normal recorded.normal
}

# reported WORD...: what the report of ./trace must say (see facts.py).
reported() {
    "$UVSCOPE" report --format json trace >report.json
    "$BATS_TEST_DIRNAME/facts.py" report.json "$@"
}
