# Sourced by every script before it changes the folder.
# shellcheck shell=bash

# A path relative to the caller's folder would mean another one elsewhere.
if [[ -n ${LIBTORCH:-} && $LIBTORCH != /* ]]; then export LIBTORCH=$PWD/$LIBTORCH; fi
if [[ -n ${RTO_ARROW:-} && $RTO_ARROW != /* ]]; then export RTO_ARROW=$PWD/$RTO_ARROW; fi

# Everything the scripts say goes to standard error, so that standard output carries only results.
say() { printf 'rto: %s\n' "$1" >&2; }

# fail STATUS SENTENCE
fail() {
    printf 'rto: %s\n' "$2" >&2
    exit "$1"
}
