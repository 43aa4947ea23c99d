package concord.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Avro with the header of a single object: marker and fingerprint of the schema. Generated coders, and coders, buffers and
 * readers that are used again: the fastest that Avro's own library offers.
 */
final class AvroSerde<T extends SpecificRecordBase> implements Serde<T> {
    private static final int HEADER = 10;

    private final Schema schema;
    private final byte[] header = new byte[HEADER];
    /** Stream threads share a serde, and coders are of one thread. */
    private final ThreadLocal<Coders> coders;

    private final class Coders {
        final SpecificDatumReader<T> reader;
        final SpecificDatumWriter<T> writer;
        final ByteArrayOutputStream written = new ByteArrayOutputStream(1024);
        BinaryDecoder decoder;
        BinaryEncoder encoder;

        Coders() {
            SpecificData generated = new SpecificData();
            generated.setCustomCoders(true);
            reader = new SpecificDatumReader<>(schema, schema, generated);
            writer = new SpecificDatumWriter<>(schema, generated);
        }
    }

    AvroSerde(Schema schema) {
        this.schema = schema;
        long fingerprint = SchemaNormalization.parsingFingerprint64(schema);
        header[0] = (byte) 0xc3;
        header[1] = 1;
        for (int i = 2; i < HEADER; i++) {
            header[i] = (byte) (fingerprint >>> (8 * (i - 2)));
        }
        coders = ThreadLocal.withInitial(Coders::new);
    }

    @Override
    public Serializer<T> serializer() {
        return (topic, value) -> {
            if (value == null) {
                return null;
            }
            Coders mine = coders.get();
            mine.written.reset();
            mine.written.write(header, 0, HEADER);
            mine.encoder = EncoderFactory.get().binaryEncoder(mine.written, mine.encoder);
            try {
                mine.writer.write(value, mine.encoder);
                mine.encoder.flush();
            } catch (IOException e) {
                throw new SerializationException(e);
            }
            return mine.written.toByteArray();
        };
    }

    @Override
    public Deserializer<T> deserializer() {
        return (topic, bytes) -> {
            if (bytes == null) {
                return null;
            }
            if (bytes.length < HEADER || !Arrays.equals(bytes, 0, HEADER, header, 0, HEADER)) {
                throw new SerializationException("a value of " + topic + " names another schema than " + schema.getFullName());
            }
            Coders mine = coders.get();
            mine.decoder = DecoderFactory.get().binaryDecoder(bytes, HEADER, bytes.length - HEADER, mine.decoder);
            try {
                return mine.reader.read(null, mine.decoder);
            } catch (IOException e) {
                throw new SerializationException(e);
            }
        };
    }
}
