# Sourced by scripts/parts after parts.sh: the servers from PyPI: a MESH and a mail server, both with TLS, and a store that
# speaks S3.
MESH_SANDBOX_VERSION=1.0.137
AIOSMTPD_VERSION=1.4.6
MOTO_VERSION=5.2.5
MESH_HOME=$CONCORD_CACHE/parts/mesh-sandbox-$MESH_SANDBOX_VERSION
SMTP_HOME=$CONCORD_CACHE/parts/aiosmtpd-$AIOSMTPD_VERSION
S3_HOME=$CONCORD_CACHE/parts/moto-$MOTO_VERSION
PYPI="PyPI, or the index of pip's settings"

# mesh_start RUN: the service with which NHS England lets clients be tested. Mailboxes X26ABC1, X26ABC2, X26ABC3; messages are
# kept in memory, so each start has empty mailboxes.
mesh_start() {
  local run=$1
  require_python_packages && fetch_once "$MESH_HOME" fetch_mesh "$PYPI" || return 1
  if part_alive mesh "$run"; then
    say "MESH is running already: $(grep MESH_URL "$run/mesh.env")"
    return 0
  fi
  mkdir -p "$run/mesh/store"
  make_certificates "$run/certificates" || return 1
  on_free_ports mesh "$run" mesh_launch
}

mesh_launch() {
  local run=$1 port url certificates=$1/certificates
  port=$(free_port) || return 1
  url=https://127.0.0.1:$port
  : >"$run/mesh/log"
  AUTH_MODE=full SHARED_KEY=TestKey STORE_MODE=memory MAILBOXES_DATA_DIR=$run/mesh/store \
    launch mesh "$run" "$run/mesh" "$MESH_HOME/bin/python" "-Xconcord.part=mesh:$run" -m uvicorn mesh_sandbox.api:app \
    --host 127.0.0.1 --port "$port" --workers 1 \
    --ssl-keyfile "$certificates/server.key" --ssl-certfile "$certificates/server.pem" \
    --ssl-ca-certs "$certificates/ca.pem" --ssl-cert-reqs 2
  wait_until_ready mesh "$run" curl --noproxy '*' -fsS -o /dev/null --cacert "$certificates/ca.pem" \
    --cert "$certificates/client.pem" --key "$certificates/client.key" "$url/health" || return 1
  cat >"$run/mesh.env" <<END
MESH_URL=$url
MESH_SHARED_KEY=TestKey
MESH_PASSWORD=password
MESH_CERTIFICATES=$certificates
END
  say "MESH (mesh-sandbox $MESH_SANDBOX_VERSION) is ready: $url"
}

fetch_mesh() {
  fetch_python "$1" "mesh-sandbox==$MESH_SANDBOX_VERSION"
}

# smtp_start RUN: a mail server with three doors: without TLS and account, with STARTTLS, with TLS from the beginning. What it
# takes becomes a file.
smtp_start() {
  local run=$1
  require_python_packages && fetch_once "$SMTP_HOME" fetch_smtp "$PYPI" || return 1
  if part_alive smtp "$run"; then
    say "the mail server is running already: $(grep SMTP_PORTS "$run/smtp.env")"
    return 0
  fi
  mkdir -p "$run/smtp"
  make_certificates "$run/certificates" || return 1
  on_free_ports smtp "$run" smtp_launch
}

smtp_launch() {
  local run=$1 plain starttls tls
  plain=$(free_port) && starttls=$(free_port "$plain") && tls=$(free_port "$starttls") && [ "$tls" != "$plain" ] || return 1
  : >"$run/smtp/log"
  launch smtp "$run" "$run/smtp" "$SMTP_HOME/bin/python" "-Xconcord.part=smtp:$run" "$ROOT/scripts/lib/smtp_server.py" \
    --plain "$plain" --starttls "$starttls" --tls "$tls" --certificates "$run/certificates" --mails "$run/smtp/mails"
  wait_until_ready smtp "$run" grep -q '^ready$' "$run/smtp/log" || return 1
  cat >"$run/smtp.env" <<END
SMTP_PORTS=$plain,$starttls,$tls
SMTP_USER=postman
SMTP_PASSWORD=TestPassword
SMTP_MAILS=$run/smtp/mails
SMTP_CERTIFICATES=$run/certificates
END
  say "the mail server (aiosmtpd $AIOSMTPD_VERSION) is ready: ports $plain, $starttls (STARTTLS), $tls (TLS)"
}

fetch_smtp() {
  fetch_python "$1" "aiosmtpd==$AIOSMTPD_VERSION"
}

# s3_start RUN: a store that speaks S3. It accepts any key; objects are kept in memory, so each start is an empty store.
s3_start() {
  local run=$1
  require_python_packages && fetch_once "$S3_HOME" fetch_s3 "$PYPI" || return 1
  if part_alive s3 "$run"; then
    say "the store is running already: $(grep S3_URL "$run/s3.env")"
    return 0
  fi
  mkdir -p "$run/s3"
  on_free_ports s3 "$run" s3_launch
}

s3_launch() {
  local run=$1 port url
  port=$(free_port) || return 1
  url=http://127.0.0.1:$port
  : >"$run/s3/log"
  launch s3 "$run" "$run/s3" "$S3_HOME/bin/python" "-Xconcord.part=s3:$run" "$S3_HOME/bin/moto_server" \
    -H 127.0.0.1 -p "$port"
  wait_until_ready s3 "$run" curl --noproxy '*' -fsS -o /dev/null "$url/moto-api/" || return 1
  echo "S3_URL=$url" >"$run/s3.env"
  say "the store (moto $MOTO_VERSION) is ready: $url"
}

fetch_s3() {
  fetch_python "$1" "moto[server]==$MOTO_VERSION"
}

# fetch_python FOLDER PACKAGE: an environment of its own.
fetch_python() {
  python3 -m venv "$1" && "$1/bin/python" -m pip install -q --disable-pip-version-check "$2"
}

# make_certificates FOLDER: an authority, and by it a certificate for servers on the loopback address and one for clients.
make_certificates() {
  local folder=$1
  [ -f "$folder/client.pem" ] && return 0
  mkdir -p "$folder"
  if ! {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=tests -keyout "$folder/ca.key" -out "$folder/ca.pem" \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign &&
      certificate "$folder" server && certificate "$folder" client
  } >"$folder/log" 2>&1; then
    say "openssl could not make certificates; the end of $folder/log:"
    tail -n 20 "$folder/log" >&2
    return 1
  fi
}

certificate() {
  local folder=$1 name=$2
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$name" -keyout "$folder/$name.key" -out "$folder/$name.csr" &&
    printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=%sAuth\n' "$name" >"$folder/$name.ext" &&
    openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 30 \
      -extfile "$folder/$name.ext" -out "$folder/$name.pem.part" &&
    mv "$folder/$name.pem.part" "$folder/$name.pem"
}
