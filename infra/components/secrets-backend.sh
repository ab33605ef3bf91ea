#!/bin/sh
# Starts OpenBao on complete data, or on a new folder. Uses nothing but the shell's own commands: the image has no others.
#
# If the first start is cut short within its `initialize` blocks, OpenBao refuses to unseal these data for ever. Nobody
# has been served from them yet, so they are left behind and the next start begins in a new folder. `started` (the
# startup probe) marks a folder as complete; until then the pod is not ready and gets no traffic.
#
# Usage: openbao.sh serve | openbao.sh started
set -eu

data=/openbao/data
current=/tmp/openbao-folder

case "${1:-}" in
  serve)
    attempt=1
    while [ -e "$data/raft-$attempt" ] && [ ! -e "$data/raft-$attempt.complete" ]; do
      attempt=$((attempt + 1))
    done
    printf '%s\n' "raft-$attempt" > "$current"
    BAO_RAFT_PATH="$data/raft-$attempt" exec bao server -config=/etc/openbao/openbao.hcl
    ;;
  started)
    read -r folder < "$current"
    # The admin token is made by the last request of the initialisation. The file has no newline: read says 1 and reads.
    read -r BAO_TOKEN < /run/secrets/openbao/adminToken || [ -n "$BAO_TOKEN" ]
    export BAO_TOKEN
    bao token lookup > /dev/null
    : > "$data/$folder.complete"
    ;;
  *)
    printf 'openbao.sh: say serve or started\n' >&2
    exit 2
    ;;
esac
