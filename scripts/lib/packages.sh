# Sourced by the scripts: what the machine must have beside the checkout. Each thing is looked for first, so a machine
# that has everything installs nothing and needs no rights. Missing things come from apt (Debian, Ubuntu).

# What `cargo build` needs: C and C++ for librdkafka, RocksDB and jemalloc, libclang for the bindings of RocksDB.
require_build_packages() {
  local packages=()
  have_command cc && have_command c++ || packages+=(build-essential)
  have_command make || packages+=(make)
  have_command cmake || packages+=(cmake)
  have_command perl || packages+=(perl)
  have_command pkg-config || packages+=(pkg-config)
  have_command git || packages+=(git)
  have_command curl || packages+=(curl)
  have_file /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt || packages+=(ca-certificates)
  have_libclang || packages+=(libclang-dev)
  install_packages "building" "${packages[@]}" || return 1
  require_rust
}

# What the tests need on top: Java for a real Kafka and a real schema registry, Maven to fetch them.
require_server_packages() {
  local packages=()
  have_command curl || packages+=(curl)
  have_java || packages+=(JAVA)
  have_command mvn || packages+=(maven)
  install_packages "running Kafka and the schema registry" "${packages[@]}" || return 1
  if ! have_java; then
    echo "the java on PATH is older than 17: put Java 17 or newer first on PATH, or set JAVA_HOME" >&2
    return 1
  fi
}

# For the servers from PyPI: Python that can make environments, and openssl for certificates.
require_python_packages() {
  local packages=()
  have_command curl || packages+=(curl)
  have_command openssl || packages+=(openssl)
  have_python || packages+=(python3 python3-venv)
  install_packages "running MESH and the mail server" "${packages[@]}" || return 1
  if ! have_python; then
    echo "the python3 on PATH is older than 3.10, or cannot make environments (python3 -m venv): put another first on PATH" >&2
    return 1
  fi
}

# For documents of patients: Tesseract reads images, Poppler reads PDF. The fonts are those that a PDF may rely on without having
# them in it; without them its pages are drawn with letters of another width.
require_document_packages() {
  local packages=()
  have_command tesseract || packages+=(tesseract-ocr tesseract-ocr-eng)
  have_command pdfinfo && have_command pdftotext && have_command pdftoppm || packages+=(poppler-utils)
  have_file /usr/share/fonts/opentype/urw-base35 /usr/share/fonts/type1/urw-base35 /usr/share/fonts/urw-base35 || packages+=(fonts-urw-base35)
  install_packages "reading scans and PDF" "${packages[@]}"
}

# Debian keeps ensurepip, without which an environment has no pip, in a package of its own.
have_python() {
  python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

# Rust is the user's choice of installer, so it is only checked.
require_rust() {
  local needed found
  needed=$(awk -F'"' '/^rust-version = / {print $2}' Cargo.toml)
  if ! have_command cargo; then
    echo "cargo is missing: install Rust $needed or newer as https://rustup.rs says, then run this again" >&2
    return 1
  fi
  found=$(cargo --version | awk '{print $2}')
  if ! version_at_least "$found" "$needed"; then
    echo "cargo is $found, Concord needs Rust $needed or newer: rustup update stable" >&2
    return 1
  fi
}

# What the checks of style need on top of Rust.
require_rust_components() {
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    echo "rustfmt or clippy is missing: rustup component add rustfmt clippy" >&2
    return 1
  fi
}

# version_at_least FOUND NEEDED: compares dotted numbers.
version_at_least() {
  [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]
}

have_command() {
  command -v "$1" >/dev/null 2>&1
}

# have_file PATH...: whether one of them is there.
have_file() {
  local path
  for path in "$@"; do
    [ -e "$path" ] && return 0
  done
  return 1
}

# bindgen loads libclang while the build runs, and reads the headers of clang (stddef.h) that come with it.
have_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  compgen -G '/usr/lib/llvm*/lib/libclang*.so*' >/dev/null && compgen -G '/usr/lib/llvm*/lib/clang/*/include/stddef.h' >/dev/null
}

# The java that parts.sh starts: the one of JAVA_HOME, or the one on PATH.
java_command() {
  if [ -n "${JAVA_HOME:-}" ]; then
    echo "$JAVA_HOME/bin/java"
  else
    echo java
  fi
}

have_java() {
  local version
  version=$("$(java_command)" -version 2>&1 | awk -F'"' '/ version "/ {print $2; exit}') || return 1
  [ -n "$version" ] && version_at_least "$version" 17
}

# The default of an older distribution is Java 11, and a newer one no longer has 17: take the first that is offered.
java_package() {
  local package
  for package in openjdk-17-jre-headless openjdk-21-jre-headless; do
    if apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [0-9]'; then
      echo "$package"
      return
    fi
  done
  echo default-jre-headless
}

# install_packages PURPOSE PACKAGE...: JAVA stands for the package that java_package finds, once apt's lists are fresh.
install_packages() {
  local purpose=$1 root=() packages=()
  shift
  [ $# -eq 0 ] && return 0
  if ! have_command apt-get; then
    echo "missing for $purpose: $* (names of Debian packages). This machine has no apt-get: install their like by hand" >&2
    return 1
  fi
  if [ "$(id -u)" -ne 0 ]; then
    if ! have_command sudo; then
      echo "missing for $purpose: $*. Install them with apt-get as root, then run this again" >&2
      return 1
    fi
    root=(sudo)
  fi
  "${root[@]}" apt-get update -qq >&2 || echo "apt-get update failed: trying with the lists of packages that are here" >&2
  local package
  for package in "$@"; do
    [ "$package" = JAVA ] && package=$(java_package)
    packages+=("$package")
  done
  echo "installing for $purpose: ${packages[*]}" >&2
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2 && return 0
  echo "apt-get could not install: ${packages[*]}. Install them by hand, then run this again" >&2
  return 1
}
