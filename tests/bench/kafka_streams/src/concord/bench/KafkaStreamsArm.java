package concord.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** K: the workloads as topologies of Kafka Streams, until standard input ends. */
public final class KafkaStreamsArm {
    private final Map<String, String> settings = new HashMap<>();
    private final Serde<String> text = Serdes.String();

    private KafkaStreamsArm(String[] arguments) {
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            settings.put(arguments[i].substring(2), arguments[i + 1]);
        }
    }

    public static void main(String[] arguments) throws IOException {
        new KafkaStreamsArm(arguments).run();
    }

    private void run() throws IOException {
        System.setProperty(RocksSettings.BUDGET_MIB, settings.get(RocksSettings.BUDGET_MIB));
        Properties properties = properties();
        KafkaStreams streams = new KafkaStreams(topology().build(properties), properties);
        streams.setUncaughtExceptionHandler(failure -> {
            failure.printStackTrace();
            Runtime.getRuntime().halt(1);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.start();
        while (System.in.read() >= 0) {
            // A line is a question that only Concord's arm answers.
        }
        // Static members leave nothing behind for the group to share out, so a restart finds its tasks.
        System.exit(streams.close(Duration.ofSeconds(50)) ? 0 : 1);
    }

    private Properties properties() {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, settings.get("application"));
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, settings.get("bootstrap"));
        p.put(StreamsConfig.STATE_DIR_CONFIG, settings.get("state"));
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.get("threads"));
        p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        p.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
        p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
        p.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksSettings.class);
        // The reference is read from its own topic at a restore, and written to no changelog.
        p.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
        // A small batch makes a request for every few dozen records.
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 128 << 10);
        p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        // A static member that comes back within its session has its tasks at once.
        p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), "bench");
        return p;
    }

    private StreamsBuilder topology() {
        StreamsBuilder builder = new StreamsBuilder();
        String input = settings.get("input");
        String output = settings.get("output");
        switch (settings.get("workload")) {
            case "W0" -> {
                AvroSerde<Message> messages = new AvroSerde<>(Message.getClassSchema());
                builder.stream(input, Consumed.with(text, messages)).to(output, Produced.with(text, messages));
            }
            case "W1" -> {
                for (String store : new String[] {SequenceGaps.HIGHEST, SequenceGaps.MISSING}) {
                    builder.addStateStore(Stores.keyValueStoreBuilder(
                                    Stores.persistentKeyValueStore(store), Serdes.Bytes(), Serdes.ByteArray())
                            .withCachingEnabled());
                }
                builder.stream(input, Consumed.with(text, new AvroSerde<Message>(Message.getClassSchema())))
                        .process(SequenceGaps::new, SequenceGaps.HIGHEST, SequenceGaps.MISSING)
                        .to(output, Produced.with(text, new AvroSerde<Finding>(Finding.getClassSchema())));
            }
            case "W2" -> {
                AvroSerde<Person> persons = new AvroSerde<>(Person.getClassSchema());
                AvroSerde<Outcome> outcomes = new AvroSerde<>(Outcome.getClassSchema());
                // No key comes twice: a cache of records would only cost.
                builder.table(
                        settings.get("reference"),
                        Consumed.with(text, persons),
                        Materialized.<String, Person, KeyValueStore<Bytes, byte[]>>as(ListDifference.REFERENCE)
                                .withKeySerde(text)
                                .withValueSerde(persons)
                                .withCachingDisabled());
                builder.addStateStore(Stores.keyValueStoreBuilder(
                                Stores.persistentKeyValueStore(ListDifference.OUTCOMES), text, outcomes)
                        .withCachingDisabled());
                builder.stream(input, Consumed.with(text, persons))
                        .process(ListDifference::new, ListDifference.REFERENCE, ListDifference.OUTCOMES)
                        .to(output, Produced.with(text, outcomes));
            }
            default -> throw new IllegalArgumentException(settings.get("workload"));
        }
        return builder;
    }
}
