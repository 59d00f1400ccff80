#!/bin/sh
# Make the virtual environment, with the first Python here that is new enough.
#   sh tools/make-venv.sh FOLDER [PYTHON]
# A folder that already holds a usable one is left as it is.
set -eu

folder=$1
wanted=${2:-}

new_enough() {
    command -v "$1" >/dev/null 2>&1 && "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if new_enough "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

for python in ${wanted:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if new_enough "$python"; then
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "$python cannot make virtual environments. On Debian and Ubuntu:  sudo apt install python3-venv" >&2
            exit 1
        fi
        echo "Making $folder with $("$python" --version)"
        exec "$python" -m venv --clear "$folder"
    fi
done

if [ -n "$wanted" ]; then
    echo "PYTHON=$wanted is not there, or is older than Python 3.11, which Seawall needs." >&2
else
    echo "Seawall needs Python 3.11 or newer, and found none as python3 or python3.11 to python3.14." >&2
fi
cat >&2 <<'END'
  Debian 12+, Ubuntu 24.04+:  sudo apt install python3 python3-venv
  Fedora:                     sudo dnf install python3.12
  macOS:                      brew install python@3.12
If it is installed under another name, say so:  make setup PYTHON=/path/to/python3.12
END
exit 1
