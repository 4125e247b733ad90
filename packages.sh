# SPDX-License-Identifier: BSD-2-Clause
# What Postern needs from Debian 12, and the one function that installs it.
# Sourced by ./quickstart, t/run and t/lint.

# To build and run: compiler and build tools; then the libraries, each with
# what it is for (see README).
postern_build_packages="gcc cmake ninja-build pkg-config python3 openssl
    libssl-dev libdb5.3-dev libpcre2-dev libc-ares-dev liblmdb-dev
    libsqlite3-dev libseccomp-dev libcrypt-dev libicu-dev"

# To test.
postern_test_packages="cppcheck pylint libcmocka-dev e2fsprogs xfsprogs btrfs-progs
    libfuse3-dev pflogsumm fail2ban swaks
    libnet-ssleay-perl strace curl isync msmtp fetchmail mutt mandoc
    systemd libcap2-bin valgrind"

# To fuzz: clang with its runtime (a recommendation, not a dependency), and
# what counts lines.
postern_fuzz_packages="clang libclang-rt-14-dev llvm"

# For t/lint.
postern_lint_packages="clang libclang-rt-14-dev clang-tidy cppcheck pylint"

# Install what is missing of the packages named in $1. As an ordinary user
# print the command and fail.
postern_packages() {
    local name missing=
    for name in $1; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = \
            installed ] || missing="$missing $name"
    done
    [ -z "$missing" ] && return 0
    if [ "$(id -u)" != 0 ]; then
        echo "these packages are missing; as root run:" >&2
        echo "    apt-get install$missing" >&2
        return 1
    fi
    echo "installing$missing"
    { apt-get update -qq &&
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
          --no-install-recommends $missing; } >/tmp/postern-apt.$$ 2>&1 &&
        { rm -f /tmp/postern-apt.$$; return 0; }
    tail -20 /tmp/postern-apt.$$ >&2
    rm -f /tmp/postern-apt.$$
    return 1
}
