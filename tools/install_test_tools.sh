#!/bin/sh
# Install what tests need beside Python where this machine allows it (Debian, root or sudo): Chromium, and iproute2 for the tests
# on two hosts. What is missing in the end, the tests that need it say.
set -u
is_complete() {
  command -v ip >/dev/null 2>&1 || [ -x /usr/sbin/ip ] || return 1
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}
is_complete && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Chromium and iproute2 cannot be installed here; the tests that need them will say so." >&2
  exit 0
fi
root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends chromium iproute2
is_complete || echo "Chromium or iproute2 could not be installed; the tests that need them will say so." >&2
exit 0
