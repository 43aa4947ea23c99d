package concord.bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** W1: remembers the highest number of each sender, and each number below it that has not come. */
final class SequenceGaps implements Processor<String, Message, String, Finding> {
    static final String HIGHEST = "highest";
    static final String MISSING = "missing";

    private static final byte[] IS_MISSING = {1};

    private ProcessorContext<String, Finding> context;
    /** By sender. */
    private KeyValueStore<Bytes, byte[]> highest;
    /** By sender and number. */
    private KeyValueStore<Bytes, byte[]> missing;

    @Override
    public void init(ProcessorContext<String, Finding> context) {
        this.context = context;
        highest = context.getStateStore(HIGHEST);
        missing = context.getStateStore(MISSING);
    }

    @Override
    public void process(Record<String, Message> record) {
        Message message = record.value();
        byte[] name = record.key().getBytes(StandardCharsets.UTF_8);
        Bytes sender = Bytes.wrap(name);
        byte[] stored = highest.get(sender);
        if (stored != null) {
            int before = ByteBuffer.wrap(stored).getInt();
            if (message.sequence <= before) {
                if (missing.delete(missingKey(name, message.sequence)) != null) {
                    tell(record, FindingKind.RESOLVED, message.sequence, message.sequence);
                }
                return;
            }
            for (int number = before + 1; number < message.sequence; number++) {
                missing.put(missingKey(name, number), IS_MISSING);
            }
            if (message.sequence > before + 1) {
                tell(record, FindingKind.GAP, before + 1, message.sequence - 1);
            }
        }
        highest.put(sender, ByteBuffer.allocate(Integer.BYTES).putInt(message.sequence).array());
    }

    private void tell(Record<String, Message> record, FindingKind kind, int first, int last) {
        Message message = record.value();
        context.forward(record.withValue(new Finding(message.sender, kind, first, last, message.at)));
    }

    private static Bytes missingKey(byte[] sender, int number) {
        ByteBuffer key = ByteBuffer.allocate(sender.length + 1 + Integer.BYTES);
        key.put(sender).put((byte) '/').putInt(number);
        return Bytes.wrap(key.array());
    }
}
