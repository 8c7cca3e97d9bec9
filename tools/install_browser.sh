#!/bin/sh
# Install Chromium and a Japanese font for the browser tests where this machine allows it (Debian, root or sudo).
set -u
find_browser() {
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}
find_browser && exit 0
if ! command -v apt-get >/dev/null 2>&1; then
  echo "Chromium is not installed and cannot be installed here; the browser tests will say so." >&2
  exit 0
fi
root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends chromium
find_browser || echo "Chromium could not be installed; the browser tests will say so." >&2
exit 0
