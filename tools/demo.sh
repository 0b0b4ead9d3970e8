#!/bin/bash
# The main job, for real: an engine that is not installed anywhere, on a root of its own, runs, execs into and stops containers.
#
#   tools/demo.sh           shows every command and what it really printed
#   tools/demo.sh --clean   removes what a demo that was killed outright left behind
#
# Leaves nothing behind, also when a step fails or on Ctrl-C.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly node=$PWD/node_modules/.bin/node
readonly prefix=/tmp/fairlead-demo.

# Ends the engine on root "$1" and whatever is left of its containers, unmounts, deletes. The order matters: monitors first would
# let their containers go on by themselves.
remove_root() {
  local root=$1 pid
  for pid in $(processes_of "$root" conmon); do kill_children "$pid"; done
  for pid in $(processes_of "$root" node); do
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
  done
  for pid in $(processes_of "$root" conmon); do kill -KILL "$pid" 2>/dev/null || true; done
  if [ -f "$root/network" ]; then
    local bridge table
    read -r bridge table <"$root/network"
    ip link delete "$bridge" 2>/dev/null || true
    nft delete table ip "$table" 2>/dev/null || true
  fi
  awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r path; do umount --lazy "$path"; done
  rm -rf "$root"
}

# Processes named "$2" that were given a path below root "$1".
processes_of() {
  local file pid
  for file in /proc/[0-9]*/cmdline; do
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    if [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && tr '\0' '\n' <"$file" 2>/dev/null | grep -qF -- "$1"; then echo "$pid"; fi
  done
}

kill_children() {
  local child
  for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do kill -KILL "$child" 2>/dev/null || true; done
}

if [ "${1-}" = --clean ]; then
  for root in "$prefix"*; do if [ -d "$root" ]; then remove_root "$root"; fi; done
  exit 0
fi

if [ "$(id -u)" != 0 ]; then
  echo "demo: containers need root: sudo make demo" >&2
  exit 1
fi

root=$(mktemp -d "${prefix}XXXXXX")
trap 'status=$?; trap - EXIT; remove_root "$root"; exit $status' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
unset DOCKER_HOST FAIRLEAD_HOST
export FAIRLEAD_ROOT=$root PATH=$PWD/bin:$PATH

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

# Shows a command, runs it, and fails when it does not end with the exit code that is expected of it.
show() {
  local expected=$1 status=0
  shift
  echo "${bold}\$ $*${plain}"
  eval "$*" || status=$?
  if [ "$expected" != 0 ]; then echo "(exit code $status)"; fi
  if [ "$status" != "$expected" ]; then
    echo "demo: expected exit code $expected, got $status. The engine's log ends with:" >&2
    tail -n 20 "$root/engine.log" >&2 2>/dev/null || true
    exit 1
  fi
}

"$node" tools/make-busybox-image.ts "$root/busybox.tar"

echo "# An image made from this machine's /bin/busybox: no registry is asked."
show 0 "fairlead load -i $root/busybox.tar"
echo
echo "# Run one that ends when it is asked to, and exec into it."
show 0 "fairlead run -d --name web busybox sh -c 'trap \"exit 0\" TERM; while :; do sleep 0.1; done'"
show 0 "fairlead exec web sh -c 'echo hello from \$(hostname) at \$(hostname -i)'"
show 7 "fairlead exec web sh -c 'exit 7'"
echo
echo "# Stop it: it takes the hint."
show 0 "time fairlead stop web"
echo
echo "# Stop one that does not: SIGKILL after a second of grace."
show 0 "fairlead run -d --name stubborn busybox sh -c 'trap \"\" TERM; while :; do sleep 1; done'"
show 0 "time fairlead stop -t 1 stubborn"
echo
show 0 "fairlead ps -a"
echo
echo "# What the engine wrote down about all this."
show 0 "fairlead operations"
echo
show 0 "fairlead rm web stubborn"
