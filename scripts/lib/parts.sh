# Sourced by scripts/parts after cache.sh and packages.sh: the real servers that tests run against, fetched from Maven Central
# or PyPI into the cache, each started on free ports of the loopback address. All that one run of a server writes is in its
# run folder:
#   kafka.env, registry.env, mesh.env, smtp.env, s3.env   where it listens, for `set -a; . FILE`. With KAFKA_PROXIED=yes Kafka has a
#                                                 second listener, KAFKA_PROXIED_LISTENER, and tells clients of it to come to
#                                                 KAFKA_PROXIED_BOOTSTRAP instead, where nobody listens until somebody puts a
#                                                 proxy there
#   kafka/, registry/, mesh/, smtp/               settings, data, pid, log
#   certificates/                                 of mesh and smtp, made for this run
KAFKA_VERSION=4.1.0
# The last line of Apicurio Registry that runs on Java 17. It speaks the API of Confluent's schema registry.
REGISTRY_VERSION=3.0.9
# Newer versions of the plugin also want the registry's parent POM, which Maven Central does not have.
DEPENDENCY_PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:2.8
KAFKA_HOME=$CONCORD_CACHE/parts/kafka-$KAFKA_VERSION
REGISTRY_HOME=$CONCORD_CACHE/parts/registry-$REGISTRY_VERSION
MAVEN="Maven Central, or the mirror of Maven's settings.xml"
START_SECONDS=${CONCORD_START_SECONDS:-120}
STOP_SECONDS=30

# kafka_start RUN: the ports and the data of the run folder are used again when it has them.
kafka_start() {
  local run=$1
  require_server_packages && fetch_once "$KAFKA_HOME" fetch_kafka "$MAVEN" || return 1
  if part_alive kafka "$run"; then
    say "Kafka is running already: $(cat "$run/kafka.env")"
    return 0
  fi
  mkdir -p "$run/kafka"
  if [ -f "$run/kafka.env" ]; then
    kafka_launch "$run"
    return
  fi
  on_free_ports kafka "$run" kafka_begin
}

kafka_begin() {
  rm -rf "$1/kafka/data" "$1/kafka/log" "$1/kafka.env"
  kafka_configure "$1" && kafka_launch "$1"
}

# kafka_configure RUN: writes the settings and formats the data folder.
kafka_configure() {
  local run=$1 client_port controller_port behind_port proxy_port cluster
  client_port=$(free_port) && controller_port=$(free_port "$client_port") || return 1
  kafka_settings "$client_port" "$controller_port" "$run/kafka/data" >"$run/kafka/server.properties"
  if [ "${KAFKA_PROXIED:-no}" = yes ]; then
    behind_port=$(free_port "$client_port" "$controller_port") || return 1
    proxy_port=$(free_port "$client_port" "$controller_port" "$behind_port") || return 1
    # Of a setting that is there twice the later one counts.
    cat >>"$run/kafka/server.properties" <<END
listeners=CLIENT://127.0.0.1:$client_port,PROXIED://127.0.0.1:$behind_port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=CLIENT://127.0.0.1:$client_port,PROXIED://127.0.0.1:$proxy_port
listener.security.protocol.map=CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
END
  fi
  cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' 'AB' | cut -c1-22)
  if ! kafka_java kafka.tools.StorageTool format --standalone -t "$cluster" -c "$run/kafka/server.properties" \
    >"$run/kafka/format.log" 2>&1; then
    say "Kafka's data folder could not be formatted:"
    tail -n 20 "$run/kafka/format.log" >&2
    return 1
  fi
  echo "KAFKA_BOOTSTRAP=127.0.0.1:$client_port" >"$run/kafka.env"
  if [ -n "${behind_port:-}" ]; then
    printf 'KAFKA_PROXIED_LISTENER=127.0.0.1:%s\nKAFKA_PROXIED_BOOTSTRAP=127.0.0.1:%s\n' "$behind_port" "$proxy_port" >>"$run/kafka.env"
  fi
}

# kafka_settings CLIENT_PORT CONTROLLER_PORT DATA: one node that is broker and controller.
kafka_settings() {
  cat <<END
process.roles=broker,controller
node.id=1
listeners=CLIENT://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=CLIENT://127.0.0.1:$1
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:$2
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$3
# A topic that nobody declared is a mistake that a test should find.
auto.create.topics.enable=false
# One node can hold one replica; few partitions start quickly.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# The cleaner's default buffer, 128 MB, is a quarter of this heap.
log.cleaner.dedupe.buffer.size=16777216
# Unlimited, it takes most of a processor for some seconds when segments of many changelogs close together. The broker shares its processors
# with what is tested and measured here, which would stand still meanwhile.
log.cleaner.io.max.bytes.per.second=${KAFKA_CLEANER_BYTES:-16777216}
# Tests lose members and brokers and leave transactions open on purpose: notice it in seconds, not in most of a minute.
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=1000
group.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=500
group.consumer.min.session.timeout.ms=3000
group.consumer.session.timeout.ms=10000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
END
}

# kafka_launch RUN: starts the broker with the settings that are there and waits until it says that it serves.
kafka_launch() {
  local run=$1 seen
  # The log grows over restarts; only what this start adds counts.
  seen=$(wc -c 2>/dev/null <"$run/kafka/log" || echo 0)
  launch kafka "$run" "$run/kafka" "$(java_command)" -Xmx512m "-Dconcord.part=kafka:$run" \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -Dorg.slf4j.simpleLogger.showDateTime=true \
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS' \
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info \
    -cp "$KAFKA_HOME/*" kafka.Kafka "$run/kafka/server.properties"
  wait_until_ready kafka "$run" kafka_serves "$run" "$seen" || return 1
  say "Kafka $KAFKA_VERSION is ready: $(cat "$run/kafka.env")"
}

kafka_serves() {
  tail -c "+$(($2 + 1))" "$1/kafka/log" 2>/dev/null | grep -q 'Kafka Server started'
}

# kafka_status RUN: fails unless the broker answers; prints its topics.
kafka_status() {
  local run=$1
  if ! part_alive kafka "$run"; then
    say "Kafka of $run is not running"
    return 1
  fi
  echo "running, process $(cat "$run/kafka/pid"), $(cat "$run/kafka.env")"
  kafka_java org.apache.kafka.tools.TopicCommand --bootstrap-server "$(kafka_bootstrap "$run")" --describe
}

# kafka_topics RUN ARGUMENT...: Kafka's own kafka-topics command.
kafka_topics() {
  local run=$1
  shift
  kafka_java org.apache.kafka.tools.TopicCommand --bootstrap-server "$(kafka_bootstrap "$run")" "$@"
}

kafka_bootstrap() {
  sed -n 's/^KAFKA_BOOTSTRAP=//p' "$1/kafka.env"
}

kafka_java() {
  "$(java_command)" -Xmx256m -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$KAFKA_HOME/*" "$@"
}

# registry_start RUN: schemas are kept in memory, so each start is an empty registry.
registry_start() {
  local run=$1
  require_server_packages && fetch_once "$REGISTRY_HOME" fetch_registry "$MAVEN" || return 1
  if part_alive registry "$run"; then
    say "the schema registry is running already: $(cat "$run/registry.env")"
    return 0
  fi
  mkdir -p "$run/registry"
  on_free_ports registry "$run" registry_launch
}

registry_launch() {
  local run=$1 port url
  port=$(free_port) || return 1
  url=http://127.0.0.1:$port/apis/ccompat/v7
  : >"$run/registry/log"
  QUARKUS_HTTP_HOST=127.0.0.1 QUARKUS_HTTP_PORT=$port APICURIO_STORAGE_KIND=sql \
    launch registry "$run" "$REGISTRY_HOME" "$(java_command)" -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    "-Dconcord.part=registry:$run" -jar "apicurio-registry-app-$REGISTRY_VERSION-runner.jar"
  wait_until_ready registry "$run" curl --noproxy '*' -fsS -o /dev/null "$url/subjects" || return 1
  # Confluent's registry starts with BACKWARD, this one with NONE, which would accept every schema.
  if ! curl --noproxy '*' -fsS -o /dev/null -X PUT -H 'Content-Type: application/vnd.schemaregistry.v1+json' \
    -d '{"compatibility":"BACKWARD"}' "$url/config"; then
    say "the schema registry refused the compatibility BACKWARD"
    part_stop registry "$run"
    return 1
  fi
  echo "SCHEMA_REGISTRY_URL=$url" >"$run/registry.env"
  say "the schema registry (Apicurio $REGISTRY_VERSION) is ready: $(cat "$run/registry.env")"
}

# on_free_ports PART RUN LAUNCH: between the choice of a port and its use another program may have taken it.
on_free_ports() {
  local part=$1 run=$2 attempt
  for attempt in 1 2 3; do
    "$3" "$run" && return 0
    port_was_taken "$run/$part/log" || return 1
    say "a port was taken meanwhile (attempt $attempt of 3): choosing others"
  done
  return 1
}

# launch PART RUN FOLDER COMMAND...: a daemon of its own session, with nothing inherited but its log: a descriptor of the
# caller that stayed open would keep a lock held or a pipe unfinished for as long as the server lives.
launch() {
  local part=$1 run=$2 folder=$3
  shift 3
  (
    cd "$folder" || exit 1
    for open in "/proc/$BASHPID/fd/"*; do
      open=${open##*/}
      if [ "$open" -gt 2 ] && [ "$open" -ne 255 ]; then
        exec {open}>&-
      fi
    done
    echo "$BASHPID" >"$run/$part/pid"
    exec setsid "$@" </dev/null >>"$run/$part/log" 2>&1
  ) </dev/null >/dev/null 2>&1 &
}

# wait_until_ready PART RUN CHECK...: polls the check until the deadline, and stops early when the server has died.
wait_until_ready() {
  local part=$1 run=$2 deadline=$((SECONDS + START_SECONDS)) begun=$SECONDS
  shift 2
  while ! "$@" 2>/dev/null; do
    # In the first moments the process is still the shell that becomes the server.
    if [ $((SECONDS - begun)) -ge 2 ] && ! part_alive "$part" "$run"; then
      say "$part ended while it started; the end of $run/$part/log:"
      tail -n 20 "$run/$part/log" >&2
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "$part was not ready after $START_SECONDS s (CONCORD_START_SECONDS allows more); the end of $run/$part/log:"
      tail -n 20 "$run/$part/log" >&2
      part_stop "$part" "$run"
      return 1
    fi
    sleep 0.1
  done
}

# part_alive PART RUN: whether the process of the pid file is this server and no later process of the same number. Java's -D
# and Python's -X both leave a word on the command line that means nothing else.
part_alive() {
  local part=$1 run=$2 pid
  pid=$(cat "$run/$part/pid" 2>/dev/null) || return 1
  [ -n "$pid" ] && tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" |
    grep -qxF -e "-Dconcord.part=$part:$run" -e "-Xconcord.part=$part:$run"
} 2>/dev/null

# part_stop PART RUN: asks, waits, and kills what does not end.
part_stop() {
  local part=$1 run=$2 deadline=$((SECONDS + STOP_SECONDS))
  if part_alive "$part" "$run"; then
    kill "$(cat "$run/$part/pid")" 2>/dev/null || true
    while part_alive "$part" "$run" && [ "$SECONDS" -lt "$deadline" ]; do
      sleep 0.1
    done
    part_kill9 "$part" "$run"
  fi
  rm -f "$run/$part/pid"
}

# part_kill9 PART RUN: as a crash would end it.
part_kill9() {
  local part=$1 run=$2
  while part_alive "$part" "$run"; do
    kill -9 "$(cat "$run/$part/pid")" 2>/dev/null || true
    sleep 0.05
  done
}

# part_signal SIGNAL PART RUN
part_signal() {
  local signal=$1 part=$2 run=$3
  part_alive "$part" "$run" || { echo "parts: $part does not run in $run" >&2; return 1; }
  kill "-$signal" "$(cat "$run/$part/pid")"
}

# running_runs: the run folders of all servers of this user that scripts/parts started.
running_runs() {
  local process
  for process in /proc/[0-9]*; do
    if [ -O "$process" ]; then
      { tr '\0' '\n' <"$process/cmdline" | sed -n 's/^-[DX]concord\.part=[a-z0-9]*://p'; } 2>/dev/null || true
    fi
  done | sort -u
}

# free_port [EXCEPT]...: a port of the loopback address that nobody listens on, below the range of outgoing connections.
free_port() {
  local port attempt
  for attempt in {1..200}; do
    port=$((20000 + (RANDOM * 32768 + RANDOM + attempt) % 12000))
    [[ " $* " == *" $port "* ]] && continue
    if ! grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") " /proc/net/tcp /proc/net/tcp6 2>/dev/null; then
      echo "$port"
      return 0
    fi
  done
  say "no free port between 20000 and 32000"
  return 1
}

port_was_taken() {
  grep -qiE 'address already in use|BindException|port [0-9]+ .*in use' "$1" 2>/dev/null
}

# fetch_once FOLDER FETCH SOURCE: FETCH fills a folder beside, which gets its name when it is complete.
fetch_once() {
  local folder=$1 fetch=$2 source=$3
  [ -d "$folder" ] && return 0
  mkdir -p "$CONCORD_CACHE/parts"
  (
    flock 9 || exit 1
    [ -d "$folder" ] && exit 0
    say "fetching $(basename "$folder")"
    rm -rf "$folder.part"
    mkdir -p "$folder.part"
    if ! "$fetch" "$folder.part" >"$folder.log" 2>&1; then
      say "fetching $(basename "$folder") failed (is $source, reachable?); the end of $folder.log:"
      tail -n 20 "$folder.log" >&2
      exit 1
    fi
    mv "$folder.part" "$folder"
  ) 9>"$CONCORD_CACHE/parts/lock"
}

fetch_kafka() {
  cat >"$1/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>concord</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA_VERSION</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
END
  mvn -B -C -f "$1/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" -DoutputDirectory="$1"
}

fetch_registry() {
  local artifact=io.apicurio:apicurio-registry-app:$REGISTRY_VERSION:tar.gz:all
  mvn -B -C "$DEPENDENCY_PLUGIN:get" -Dartifact="$artifact" -Dtransitive=false &&
    # The plugin leaves a folder of its own where it is called.
    (cd "$1" && mvn -B -o "$DEPENDENCY_PLUGIN:unpack" -Dartifact="$artifact" -DoutputDirectory="$1") &&
    [ -f "$1/apicurio-registry-app-$REGISTRY_VERSION-runner.jar" ]
}

say() {
  echo "parts: $*" >&2
}
