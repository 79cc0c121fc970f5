package replica;

import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.Cursor;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.oplog.Oplog;
import io.netty.channel.Channel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * mongo-java-server as a replica set of one whose primary it is. What it does otherwise than mongod is mended here: one
 * command is carried out at a time, since documents are changed in place and would be sent half changed; a write that a
 * driver tries again is carried out once; streams of changes wait for them, and come from {@link ChangeLog}.
 */
final class ReplicaBackend extends MemoryBackend {
    private static final int RETRYABLE_WRITES = 1_000;

    private final String address;
    private final ChangeLog changes;
    private final Map<List<Object>, Document> answersByRetry = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<Object>, Document> eldest) {
            return size() > RETRYABLE_WRITES;
        }
    };

    ReplicaBackend(String address, int keptChanges) {
        this.address = address;
        this.changes = new ChangeLog(this, getCursorRegistry(), keptChanges);
        version(new MongoVersion() {
            @Override
            public List<Integer> getVersionArray() {
                return List.of(5, 0, 0, 0);
            }

            @Override
            public String toVersionString() {
                return "5.0.0";
            }

            @Override
            public int getWireVersion() {
                return 13;
            }
        });
    }

    @Override
    public MemoryDatabase openOrCreateDatabase(String name) {
        return new WatchedDatabase(name, getCursorRegistry(), () -> changes);
    }

    @Override
    protected Oplog createOplog() {
        return changes;
    }

    @Override
    public Document handleCommand(Channel channel, String database, String command, Document query) {
        synchronized (changes) {
            List<Object> retry = retryOf(query);
            Document known = retry == null ? null : answersByRetry.get(retry);
            if (known != null) {
                return known;
            }
            Document answer = answer(channel, database, command, query).cloneDeeply();
            answer.put("operationTime", changes.now());
            if (retry != null) {
                answersByRetry.put(retry, answer);
            }
            return answer;
        }
    }

    private static List<Object> retryOf(Document query) {
        Object transaction = query.get("txnNumber");
        return transaction == null ? null : List.of(((Document) query.get("lsid")).get("id"), transaction);
    }

    private Document answer(Channel channel, String database, String command, Document query) {
        switch (command.toLowerCase()) {
            case "hello":
            case "ismaster":
                return describe(super.handleCommand(channel, database, "ismaster", query));
            case "getmore":
                long id = ((Number) query.get(command)).longValue();
                Cursor cursor = getCursorRegistry().getCursor(id);
                return cursor instanceof ChangeCursor stream ? more(stream, query)
                    : super.handleCommand(channel, database, command, query);
            case "aggregate":
                Document answer = super.handleCommand(channel, database, command, query);
                Document first = (Document) answer.get("cursor");
                long opened = ((Number) first.get("id")).longValue();
                if (opened != 0 && getCursorRegistry().getCursor(opened) instanceof ChangeCursor stream) {
                    first.put("postBatchResumeToken", stream.token());
                }
                return answer;
            default:
                return super.handleCommand(channel, database, command, query);
        }
    }

    private Document describe(Document hello) {
        return hello
            .append("isWritablePrimary", true)
            .append("secondary", false)
            .append("readOnly", false)
            .append("helloOk", true)
            .append("setName", "rs0")
            .append("setVersion", 1)
            .append("hosts", List.of(address))
            .append("primary", address)
            .append("me", address)
            .append("logicalSessionTimeoutMinutes", 30);
    }

    /** Waits until the stream has something to say, as long as the client asks for. */
    private Document more(ChangeCursor stream, Document query) {
        int batchSize = ((Number) query.getOrDefault("batchSize", 0)).intValue();
        long deadline = System.nanoTime() + ((Number) query.getOrDefault("maxTimeMS", 1_000)).longValue() * 1_000_000;
        List<Document> batch = stream.takeDocuments(batchSize);
        while (batch.isEmpty() && !stream.isEmpty() && changes.await(deadline)) {
            batch = stream.takeDocuments(batchSize);
        }
        if (stream.isEmpty()) {
            getCursorRegistry().remove(stream);
        }
        Document cursor = new Document("id", stream.isEmpty() ? 0L : stream.getId())
            .append("ns", stream.namespace())
            .append("nextBatch", batch)
            .append("postBatchResumeToken", stream.token());
        return new Document("cursor", cursor).append("ok", 1.0);
    }
}
