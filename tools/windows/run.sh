#!/bin/sh
# Run a command with the environment that .windows/ needs: `tools/windows/run.sh wine .windows/python/python.exe -V`.
target=$(cd "$(dirname "$0")/../.." && pwd)/.windows
export WINEPREFIX="$target/prefix" WINEARCH=win64 WINEDEBUG="${WINEDEBUG:--all}"
export WINEDLLOVERRIDES="mscoree,mshtml=;ucrtbase,msvcp140,vcruntime140,vcruntime140_1=n,b"
export LOCPATH="$target/locale" LC_ALL=ja_JP.UTF-8
exec "$@"
