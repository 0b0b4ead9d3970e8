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

# Ends whatever still runs on root "$1" and removes it. An engine without running containers takes its bridge, rules and state
# directory away itself when it ends; this does the same for one that was killed.
remove_root() {
  local root=$1 pid id hash
  cd /
  for pid in $(monitors_of "$root"); do kill_children "$pid"; done
  for pid in $(engine_of "$root"); do
    kill -TERM "$pid" 2>/dev/null || continue
    for _ in $(seq 200); do kill -0 "$pid" 2>/dev/null || break; sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  for pid in $(monitors_of "$root"); do kill -KILL "$pid" 2>/dev/null || true; done
  awk -v root="$root/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r path; do umount --lazy "$path"; done
  for id in $(ls "$root/containers" 2>/dev/null); do rmdir /sys/fs/cgroup/fairlead/"$id" /sys/fs/cgroup/*/fairlead/"$id" 2>/dev/null || true; done
  hash=$(printf %s "$root" | sha256sum)
  ip link delete "fl-${hash:0:8}" 2>/dev/null || true
  nft delete table ip "fairlead_${hash:0:8}" 2>/dev/null || true
  rm -rf "/run/fairlead/${hash:0:12}" "$root"
}

engine_of() { processes '^engine$' "^$1$"; }

monitors_of() { processes '/container-keeper$' "^$1/"; }

# Ids of the processes that have an argument like "$1" and one like "$2".
processes() {
  local files
  mapfile -t files < <(grep -lszE -- "$1" /proc/[0-9]*/cmdline)
  if [ ${#files[@]} -gt 0 ]; then grep -lszE -- "$2" "${files[@]}" | cut -d/ -f3; fi
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
export FAIRLEAD_ROOT=$root PATH=$PWD/bin:$PATH TIMEFORMAT='(%1R s)'

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

"$node" packages/testkit/src/make-busybox-image.ts "$root/busybox.tar"
cd "$root"

echo "# An image made from this machine's /bin/busybox: no registry is asked."
show 0 "fairlead load -i busybox.tar"
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
