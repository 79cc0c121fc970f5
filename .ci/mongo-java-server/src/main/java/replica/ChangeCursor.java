package replica;

import de.bwaldvogel.mongo.backend.AbstractCursor;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A stream of the changes of one collection, as events of mongod 5.0. Empty means that no more will come. */
final class ChangeCursor extends AbstractCursor {
    private static final int DEFAULT_BATCH = 101;

    private final ChangeLog changes;
    private final String namespace;
    private final Aggregation aggregation;
    private final boolean looksUp;
    private long position;
    private boolean isInvalid;

    ChangeCursor(long id, ChangeLog changes, String namespace, Aggregation aggregation, boolean looksUp, long position) {
        super(id);
        this.changes = changes;
        this.namespace = namespace;
        this.aggregation = aggregation;
        this.looksUp = looksUp;
        this.position = position;
    }

    String namespace() {
        return namespace;
    }

    /** From where another stream would go on. */
    Document token() {
        return tokenOf(position);
    }

    private static Document tokenOf(long time) {
        return new Document("_data", String.format("%016X", time));
    }

    static long timeOf(Document token) {
        try {
            return Long.parseUnsignedLong((String) token.get("_data"), 16);
        } catch (NumberFormatException e) {
            throw new MongoServerError(260, "InvalidResumeToken", "Resume token has an unknown format");
        }
    }

    @Override
    public boolean isEmpty() {
        return isInvalid;
    }

    @Override
    public List<Document> takeDocuments(int batchSize) {
        int limit = batchSize > 0 ? batchSize : DEFAULT_BATCH;
        List<Document> batch = new ArrayList<>();
        for (ChangeLog.Change change : changes.after(position)) {
            if (batch.size() >= limit || isInvalid) {
                return batch;
            }
            position = change.time();
            if (change.namespace().equals(namespace)) {
                isInvalid = change.type().equals("invalidate");
                aggregation.runStagesAsStream(Stream.of(eventOf(change))).forEach(batch::add);
            }
        }
        return batch;
    }

    private Document eventOf(ChangeLog.Change change) {
        Document event = new Document("_id", tokenOf(change.time()))
            .append("operationType", change.type())
            .append("clusterTime", new BsonTimestamp(change.time()));
        if (change.type().equals("invalidate")) {
            return event;
        }
        int dot = namespace.indexOf('.');
        Document place = new Document("db", namespace.substring(0, dot)).append("coll", namespace.substring(dot + 1));
        Document key = change.document() == null ? null : new Document("_id", change.document().get("_id"));
        switch (change.type()) {
            case "insert", "replace" -> event.append("fullDocument", change.document());
            case "update" -> {
                if (looksUp) {
                    event.append("fullDocument", changes.lookUp(namespace, key.get("_id")));
                }
            }
            default -> {
            }
        }
        event.append("ns", place);
        if (key != null) {
            event.append("documentKey", key);
        }
        if (change.updateDescription() != null) {
            event.append("updateDescription", change.updateDescription());
        }
        return event;
    }
}
