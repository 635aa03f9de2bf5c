#!/usr/bin/env bash
# Runs SCRIPT on the vkseg of BUILD_FOLDER with the first Python that has one of the lists of modules, the first list that
# any has. Exit status 77 (skipped) where none has any.
# Usage: python_test.sh SCRIPT BUILD_FOLDER "MODULES, ..." ["OTHER MODULES, ..."]...
set -euo pipefail
script=$(realpath "$1")
build=$2
shift 2
for modules in "$@"; do
    for python in "${VKSEG_PYTHON:-}" python3 /usr/bin/python3; do
        [ -n "$python" ] || continue
        if "$python" -c "import $modules" 2>/dev/null; then
            exec nice "$python" "$script" "$build"
        fi
    done
done
echo "skipped: no Python with ${!#} (requirements.txt of what is tested); VKSEG_PYTHON names another"
exit 77
