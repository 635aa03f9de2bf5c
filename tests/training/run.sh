#!/usr/bin/env bash
# Tests training with the vkseg of the build tree $1. Exit status 77 (skipped) where no Python has what training needs.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
for python in "${VKSEG_PYTHON:-}" python3 /usr/bin/python3; do
    [ -n "$python" ] || continue
    if "$python" -c 'import numpy, PIL, torch' 2>/dev/null; then
        exec nice "$python" "$here/training_test.py" "$1"
    fi
done
echo "skipped: no Python with torch, numpy and Pillow (apps/simulator/training/requirements.txt);" \
     "VKSEG_PYTHON names another"
exit 77
