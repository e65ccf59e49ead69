# Sourced by the scripts beside it: an activated virtual environment with cohortkit and its tools.

_python() {
    local candidate
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; set PYTHON to one" >&2
    return 1
}

_stamp() { # what the environment was made for: interpreter, place and dependencies
    "$1" -c 'import hashlib, pathlib, sys
print(sys.version.split()[0], pathlib.Path.cwd(), hashlib.sha256(pathlib.Path("pyproject.toml").read_bytes()).hexdigest())'
}

_environment() {
    local venv stamp
    venv=${COHORTKIT_VENV:-.venv}
    if [ -x "$venv/bin/python" ] && [ -f "$venv/.stamp" ] &&
        [ "$(cat "$venv/.stamp")" = "$(_stamp "$venv/bin/python")" ]; then
        :
    else
        echo "making the environment in $venv"
        [ -x "$venv/bin/python" ] || "$(_python)" -m venv "$venv"
        # dependency groups need pip 25.1; what ships with Python may be older
        "$venv/bin/python" -m pip install --quiet --upgrade "pip>=25.1"
        "$venv/bin/python" -m pip install --quiet --editable . --group test --group lint
        stamp=$(_stamp "$venv/bin/python")
        echo "$stamp" > "$venv/.stamp"
    fi
    . "$venv/bin/activate"
}

# Tests start hundreds of processes: with no byte code kept, each would compile the house anew.
unset PYTHONDONTWRITEBYTECODE

if [ -z "${_COHORTKIT_ENVIRONMENT:-}" ]; then
    _environment
    export _COHORTKIT_ENVIRONMENT=1
fi
