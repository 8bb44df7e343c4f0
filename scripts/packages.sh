# Sourced by the scripts that install something: Debian packages, and wheels of PyPI for the libraries inside.
# shellcheck shell=bash

# Whether a Debian package is there, by what it brings: much quicker than asking dpkg.
has_package() {
    case $1 in
        git) command -v git >/dev/null ;;
        g++) command -v g++ >/dev/null ;;
        python3) command -v python3 >/dev/null ;;
        python3-pip) python3 -m pip --version >/dev/null 2>&1 ;;
        zlib1g-dev) [[ -e /usr/include/zlib.h ]] ;;
        libzstd-dev) [[ -e /usr/include/zstd.h ]] ;;
        libssl-dev) [[ -e /usr/include/openssl/evp.h ]] ;;
        libpcre2-dev) [[ -e /usr/include/pcre2.h ]] ;;
        *) fail 70 "scripts/packages.sh does not know how to look for $1" ;;
    esac
}

# Installs those of the packages that are missing.
install_packages() {
    local package missing=()
    for package in "$@"; do
        has_package "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0

    local line="apt-get install --yes --no-install-recommends ${missing[*]}" privilege=()
    command -v apt-get >/dev/null ||
        fail 65 "this needs what Debian's packages ${missing[*]} bring; install that, and run this again"
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || fail 65 "packages are missing; type 'sudo $line', and run this again"
        privilege=(sudo -n)
    fi
    say "installing ${missing[*]}"
    # Lists of packages may be missing or old: they are fetched only when the first try fails.
    # shellcheck disable=SC2086  # the words of the line
    apt_install() { "${privilege[@]}" env DEBIAN_FRONTEND=noninteractive $line >&2; }
    apt_install 2>/dev/null || { "${privilege[@]}" apt-get update >&2 && apt_install; } ||
        fail 65 "apt-get could not install ${missing[*]}; its words are above"
}

# download FOLDER NAME REMEDY REQUIREMENT…: wheels into FOLDER/download; those of another Python serve as well, since only
# libraries and headers are used.
download() {
    local folder=$1 name=$2 remedy=$3
    shift 3
    local log=$folder/download.log
    local pip=(python3 -m pip download --disable-pip-version-check --only-binary=:all: --retries 2 --dest "$folder/download")
    "${pip[@]}" "$@" >&2 2>"$log" && return
    if grep -qiE 'connection|timed out|network|resolution|proxy|ssl' "$log"; then
        fail 65 "PyPI cannot be reached, so $name cannot be fetched; connect to the network and run this again, or $remedy (pip's words: $log)"
    fi
    "${pip[@]}" --python-version 3.12 --platform "manylinux_2_28_$(uname -m)" "$@" >&2 2>>"$log" ||
        fail 65 "pip finds no $name for this machine; $remedy (pip's words: $log)"
}

# Waits until no other run works in a folder, and keeps others out until this one ends. A second call for the folder does nothing:
# what the first one opened would keep it waiting for itself.
lock_folder() {
    local folder=$1 work=$2 lock
    [[ ${locked_folder:-} != "$folder" ]] || return 0
    { mkdir -p "$folder" && : >>"$folder/lock"; } 2>/dev/null ||
        fail 65 "$PWD/$folder cannot be written, and what is fetched or made once belongs there; make it writable, or use a copy of the project that is"
    exec {lock}>>"$folder/lock"
    locked_folder=$folder
    if ! flock --nonblock "$lock"; then
        say "waiting for another run that is $work"
        flock "$lock"
    fi
}
