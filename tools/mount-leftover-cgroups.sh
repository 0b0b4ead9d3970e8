#!/bin/sh
# Mounts the cgroup v1 controllers that a hybrid host left in its cgroup v2 mount, and the hierarchies that are in use and not mounted
# (whoever unmounts one while cgroups below it are still going away leaves it so).
#
# crun refuses a host where cgroup v1 is in use and the cgroup v2 mount still offers controllers ("cgroups in hybrid mode not
# supported"). Mounting the left-over ones as v1 hierarchies empties that list. For the set-up of tests: the engine itself
# only probes and falls back to runc.
#
# Idempotent. Says what it did, exits 0 also when there is nothing to do or it is not permitted.
set -u

root=${1:-/sys/fs/cgroup}

say() { echo "mount-leftover-cgroups: $*"; }

unified=$(awk '{ for (i = 7; i <= NF; i++) if ($i == "-") { if ($(i + 1) == "cgroup2") print $5; break } }' /proc/self/mountinfo | head -n 1)
if ! awk '{ for (i = 7; i <= NF; i++) if ($i == "-") { if ($(i + 1) == "cgroup") found = 1; break } } END { exit !found }' /proc/self/mountinfo; then
  say "no cgroup v1 hierarchy here: nothing to do"
  exit 0
fi
if [ -z "$unified" ]; then
  say "no cgroup v2 mount here: nothing to do"
  exit 0
fi
# Hierarchies, each by its controllers with commas, that no cgroup mount has.
unmounted() {
  awk -F: '$1 != 0 && $2 != "" && $2 !~ /^name=/ { print $2 }' /proc/self/cgroup | while read -r controllers; do
    awk -v one="${controllers%%,*}" '{
      for (i = 7; i <= NF; i++) if ($i == "-") break
      if ($(i + 1) == "cgroup" && ("," $(i + 3) ",") ~ ("," one ",")) found = 1
    } END { exit !found }' /proc/self/mountinfo || echo "$controllers"
  done
}

left_over=$(cat "$unified/cgroup.controllers")
if [ -z "$left_over$(unmounted)" ]; then
  say "no controller is left in $unified: nothing to do"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  say "controllers left in $unified ($left_over), but only root may mount them"
  exit 0
fi

# Mounts "$1" (controllers, comma-separated) at a directory of the same name.
mount_v1() {
  directory=$root/$1
  made=
  if [ ! -d "$directory" ]; then
    mkdir "$directory" 2>/dev/null || { say "cannot make $directory"; return; }
    made=yes
  fi
  if message=$(mount -t cgroup -o "$1" cgroup "$directory" 2>&1); then
    say "mounted $1 at $directory"
  else
    [ -z "$made" ] || rmdir "$directory"
    say "cannot mount $1: $message"
  fi
}

has() { case " $left_over " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

for controller in $left_over; do
  case $controller in
    # These two share a hierarchy everywhere, as systemd mounts them.
    net_cls) if has net_prio; then mount_v1 net_cls,net_prio; else mount_v1 net_cls; fi ;;
    net_prio) has net_cls || mount_v1 net_prio ;;
    *) mount_v1 "$controller" ;;
  esac
done

for controllers in $(unmounted); do mount_v1 "$controllers"; done

left_over=$(cat "$unified/cgroup.controllers")
if [ -n "$left_over" ]; then say "still in $unified: $left_over"; fi
exit 0
