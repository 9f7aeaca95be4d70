# Sourced by ./demo, ./test and .ci/run: what they need of the machine, installed where it is missing.

# require_dotnet: the .NET 10 SDK, or where to get it.
require_dotnet() {
    if command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.'; then
        return
    fi
    cat >&2 <<'TEXT'
The .NET 10 SDK is needed and was not found. Get it from
  https://dotnet.microsoft.com/download/dotnet/10.0
or, on Debian and Ubuntu, see https://learn.microsoft.com/dotnet/core/install/linux
TEXT
    exit 1
}

# require_packages PROGRAM-OR-FILE:PACKAGE…: Debian packages, for the programs and files that are not there.
require_packages() {
    local missing=() pair sudo=()
    for pair in "$@"; do
        local what=${pair%%:*}
        case $what in
            /*) compgen -G "$what" >/dev/null || missing+=("${pair#*:}") ;;
            *) command -v "$what" >/dev/null || missing+=("${pair#*:}") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "Please install with this system's package manager: ${missing[*]} (Debian's names)" >&2
        exit 1
    fi
    [ "$(id -u)" = 0 ] || sudo=(sudo)
    echo "Installing ${missing[*]} by apt-get …"
    "${sudo[@]}" apt-get -qq update
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# PostgreSQL's programs; the service runs its own server with them.
require_postgresql() {
    command -v initdb >/dev/null || require_packages '/usr/lib/postgresql/*/bin/initdb:postgresql'
}
