package replica;

import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.aggregation.Aggregation;
import de.bwaldvogel.mongo.bson.BsonTimestamp;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/**
 * The latest changes of all collections, in their order. A change is told by the collection in which it happens
 * ({@link WatchedDatabase}); what the server itself hands to an Oplog lacks findAndModify, and is told otherwise than by
 * mongod. Its monitor is held by whoever adds or reads.
 */
final class ChangeLog implements Oplog {
    /** @param document as it was then; of a removed one, as it was last */
    record Change(long time, String namespace, String type, Document document, Document updateDescription) {
    }

    private final MongoBackend backend;
    private final CursorRegistry cursors;
    private final int kept;
    private final TreeMap<Long, Change> changesByTime = new TreeMap<>();
    private long last = new BsonTimestamp(Instant.now(), 1).getValue();
    private long lastDropped = last - 1;

    ChangeLog(MongoBackend backend, CursorRegistry cursors, int kept) {
        this.backend = backend;
        this.cursors = cursors;
        this.kept = kept;
    }

    BsonTimestamp now() {
        return new BsonTimestamp(last);
    }

    void add(String type, String namespace, Document document, Document updateDescription) {
        last = Math.max(last + 1, new BsonTimestamp(Instant.now(), 1).getValue());
        Document then = document == null ? null : document.cloneDeeply();
        changesByTime.put(last, new Change(last, namespace, type, then, updateDescription));
        if (changesByTime.size() > kept) {
            lastDropped = changesByTime.pollFirstEntry().getKey();
        }
        notifyAll();
    }

    /** The changes after a time. Throws if there were some that are no longer kept. */
    Collection<Change> after(long time) {
        if (time < lastDropped) {
            throw new MongoServerError(286, "ChangeStreamHistoryLost", "Resume of change stream was not possible, as the "
                + "resume point may no longer be in the oplog.");
        }
        return changesByTime.tailMap(time, false).values();
    }

    /** Waits for another change, and says whether there may be one. */
    boolean await(long deadline) {
        long remaining = (deadline - System.nanoTime()) / 1_000_000;
        if (remaining <= 0) {
            return false;
        }
        try {
            wait(remaining);
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The document as it is now, or null. */
    Document lookUp(String namespace, Object id) {
        int dot = namespace.indexOf('.');
        MongoCollection<?> collection = backend.resolveDatabase(namespace.substring(0, dot))
            .resolveCollection(namespace.substring(dot + 1), false);
        return collection == null ? null
            : collection.queryAllAsStream().filter(document -> id.equals(document.get("_id"))).findFirst().orElse(null);
    }

    @Override
    public Cursor createCursor(Document options, String namespace, Aggregation aggregation) {
        Document token = (Document) options.getOrDefault("resumeAfter", options.get("startAfter"));
        BsonTimestamp start = (BsonTimestamp) options.get("startAtOperationTime");
        long position = token != null ? ChangeCursor.timeOf(token) : start != null ? start.getValue() - 1 : last;
        after(position);
        boolean looksUp = "updateLookup".equals(options.get("fullDocument"));
        Cursor cursor = new ChangeCursor(cursors.generateCursorId(), this, namespace, aggregation, looksUp, position);
        cursors.add(cursor);
        return cursor;
    }

    @Override
    public void handleDropCollection(String namespace) {
        add("drop", namespace, null, null);
        add("invalidate", namespace, null, null);
    }

    @Override
    public void handleInsert(String namespace, List<Document> documents) {
    }

    @Override
    public void handleUpdate(String namespace, Document selector, Document query, List<Object> modifiedIds) {
    }

    @Override
    public void handleDelete(String namespace, Document query, List<Object> deletedIds) {
    }
}
