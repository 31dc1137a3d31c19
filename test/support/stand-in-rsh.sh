#!/bin/sh
# Takes rsh's arguments (-l USER HOST COMMAND…) and runs the command here, through a shell as rshd does.
[ "$1" = -l ] && [ $# -gt 3 ] || { echo 'usage: rsh -l USER HOST COMMAND' >&2; exit 1; }
shift 3
exec /bin/sh -c "$*"
