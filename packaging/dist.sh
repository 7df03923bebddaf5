#!/bin/sh
# Builds sdist and wheel of the commit that is checked out into dist/, and tries the wheel in a virtual environment of its
# own. The build has the locked tools, and does not see files that are not committed.
set -eu
cd "$(dirname "$0")/.."
[ -z "$(git status --porcelain)" ] || { echo "there are changes that are not committed" >&2; exit 1; }
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
pip="-m pip --quiet --disable-pip-version-check install"

git archive --prefix=tree/ HEAD | tar -x -C "$place"
python3 -m venv "$place/build"
"$place/build/bin/python" $pip --require-hashes -r requirements/build.txt
build() { # the hook, in which folder
    mkdir "$place/$1"
    (cd "$2" && "$place/build/bin/python" -c "import setuptools.build_meta as b; b.$1('$place/$1')") >"$place/log" 2>&1 ||
        { cat "$place/log" >&2; exit 1; }
}
build build_sdist "$place/tree"
mkdir "$place/unpacked"
tar -x -C "$place/unpacked" --strip-components=1 -f "$place"/build_sdist/*.tar.gz
build build_wheel "$place/unpacked"

python3 -m venv "$place/venv"
"$place/venv/bin/python" $pip --require-hashes -r requirements/runtime.txt
"$place/venv/bin/python" $pip --no-deps "$place"/build_wheel/*.whl
"$place/venv/bin/python" -m pip --disable-pip-version-check check
(cd "$place" && venv/bin/hookbundle version && HOME=$place venv/bin/hookbundle demo >"$place/log" 2>&1) ||
    { cat "$place/log" >&2; exit 1; }

mkdir -p dist
cp "$place"/build_sdist/*.tar.gz "$place"/build_wheel/*.whl dist/
cd dist && sha256sum hookbundle-*
