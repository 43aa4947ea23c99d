package concord.bench;

import java.util.ArrayList;
import java.util.List;
import org.apache.avro.util.Utf8;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.ValueAndTimestamp;

/** W2: holds each record of the extract against the reference, remembers the outcome, and passes on what is not the same. */
final class ListDifference implements Processor<String, Person, String, Outcome> {
    static final String REFERENCE = "reference";
    static final String OUTCOMES = "outcomes";

    private static final int FIELDS = 13;
    private static final Utf8[] NAMES = new Utf8[FIELDS];

    static {
        for (int i = 0; i < FIELDS; i++) {
            NAMES[i] = new Utf8(Person.getClassSchema().getFields().get(i).name());
        }
    }

    private ProcessorContext<String, Outcome> context;
    private KeyValueStore<String, ValueAndTimestamp<Person>> reference;
    private KeyValueStore<String, Outcome> outcomes;

    @Override
    public void init(ProcessorContext<String, Outcome> context) {
        this.context = context;
        reference = context.getStateStore(REFERENCE);
        outcomes = context.getStateStore(OUTCOMES);
    }

    @Override
    public void process(Record<String, Person> record) {
        Person extract = record.value();
        Person known = ValueAndTimestamp.getValueOrNull(reference.get(record.key()));
        List<Difference> differences = List.of();
        Status status = Status.MISSING;
        if (known != null) {
            differences = differences(known, extract);
            status = differences.isEmpty() ? Status.SAME : Status.DIFFERENT;
        }
        Outcome outcome = new Outcome(extract.nhsNumber, status, record.timestamp(), differences);
        outcomes.put(record.key(), outcome);
        if (status != Status.SAME) {
            context.forward(record.withValue(outcome));
        }
    }

    private static List<Difference> differences(Person known, Person extract) {
        List<Difference> found = List.of();
        for (int i = 0; i < FIELDS; i++) {
            Utf8 before = (Utf8) known.get(i);
            Utf8 now = (Utf8) extract.get(i);
            if (!before.equals(now)) {
                if (found.isEmpty()) {
                    found = new ArrayList<>(FIELDS);
                }
                found.add(new Difference(NAMES[i], before, now));
            }
        }
        return found;
    }
}
