#!/bin/bash
# PID 1 of an instance with a node, in its own PID, mount, network and UTS namespaces.
# Usage: init.sh <state folder> <host name> <supervisor command...>; starts when a line arrives on standard input.
#
# It is a shell and not the supervisor itself because PID 1 must reap every orphan (containerd's shims leave some), which
# Node.js cannot. When the supervisor ends, so does this process, and the kernel ends all that is left in the namespaces.
set -eu
state=$1 name=$2
shift 2

# The launcher says "go" when it has attached the link. No word means it died: then nothing may start.
read -r go || exit 1
[ "$go" = go ]

# Mounts made here stay here; pods that ask for Bidirectional propagation share with each other, not with the machine.
mount --make-rprivate /
mount --make-rshared /
hostname "$name"

# Name servers, for pulling images with egress: often a link into /run, and the stub on the machine's loopback is not reached from here.
resolver=$(cat /run/systemd/resolve/resolv.conf 2>/dev/null || cat /etc/resolv.conf 2>/dev/null || true)

# /run is our own: network namespaces, shims and runc keep theirs here, and the state folder gets a short path for sockets.
mount -t tmpfs -o mode=755,nosuid,nodev assistant-platform /run
mkdir -p /run/instance /run/lock /run/netns
mount --bind "$state" /run/instance
printf '%s\n' "$resolver" >/run/resolv.conf
resolv_conf=$(readlink -m /etc/resolv.conf)
case $resolv_conf in
/run/*) mkdir -p "$(dirname "$resolv_conf")" && cp /run/resolv.conf "$resolv_conf" ;;
*) [ ! -f "$resolv_conf" ] || mount --bind /run/resolv.conf "$resolv_conf" ;;
esac

# What writes below /var/lib and /var/log (CNI results, links to pod logs) writes to memory and leaves nothing on the machine.
for dir in /var/lib /var/log; do
  upper=/run/overlay$dir
  mkdir -p "$upper/upper" "$upper/work"
  mount -t overlay -o "lowerdir=$dir,upperdir=$upper/upper,workdir=$upper/work" assistant-platform "$dir"
done
mkdir -p /var/lib/cni /var/log/containers /var/log/pods

exec 3<&0
"$@" <&3 &
supervisor=$!
trap 'kill -TERM "$supervisor" 2>/dev/null' TERM INT
# wait returns early when a trapped signal arrives: go on until the supervisor has really ended.
while kill -0 "$supervisor" 2>/dev/null; do
  wait "$supervisor" && code=0 || code=$?
done
exit "${code:-0}"
