#!/usr/bin/env bash
# Tests the comparison with the vkseg of the build tree $1. Exit status 77 (skipped) where no Python has numpy.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
for wanted in 'numpy, torch' numpy; do
    for python in "${VKSEG_PYTHON:-}" python3 /usr/bin/python3; do
        [ -n "$python" ] || continue
        if "$python" -c "import $wanted" 2>/dev/null; then
            exec nice "$python" "$here/compare_test.py" "$1"
        fi
    done
done
echo "skipped: no Python with numpy (apps/compare/requirements.txt); VKSEG_PYTHON names another"
exit 77
