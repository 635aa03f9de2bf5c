#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests: on Mesa's CPU driver, on SwiftShader, and on any GPU present.
set -euo pipefail
cd "$(dirname "$0")"

scripts/install-dependencies.sh test
cmake --preset release -DVKSEG_BUILD_TESTS=ON >/dev/null
cmake --build --preset release
ctest --preset release --parallel 1
