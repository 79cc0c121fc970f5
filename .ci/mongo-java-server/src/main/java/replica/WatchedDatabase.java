package replica;

import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.memory.MemoryCollection;
import de.bwaldvogel.mongo.backend.memory.MemoryDatabase;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.backend.ArrayFilters;
import de.bwaldvogel.mongo.oplog.Oplog;
import java.util.function.Supplier;

/** A database that tells of every document that is added, changed or removed, by whatever command. */
final class WatchedDatabase extends MemoryDatabase {
    private final Supplier<ChangeLog> changes;

    WatchedDatabase(String name, CursorRegistry cursors, Supplier<ChangeLog> changes) {
        super(name, cursors);
        this.changes = changes;
    }

    @Override
    protected MemoryCollection openOrCreateCollection(String name, CollectionOptions options) {
        // Those of the system are opened before this object is complete.
        return name.startsWith("system.") ? super.openOrCreateCollection(name, options)
            : new WatchedCollection(this, name, options, cursorRegistry, changes.get());
    }

    private static final class WatchedCollection extends MemoryCollection {
        private final ChangeLog changes;
        private Object update;

        WatchedCollection(MongoDatabase database, String name, CollectionOptions options, CursorRegistry cursors,
                          ChangeLog changes) {
            super(database, name, options, cursors);
            this.changes = changes;
        }

        @Override
        public synchronized Document updateDocuments(Document selector, Document update, ArrayFilters arrayFilters,
                                                     boolean isMulti, boolean isUpsert, Oplog oplog) {
            this.update = update;
            return super.updateDocuments(selector, update, arrayFilters, isMulti, isUpsert, oplog);
        }

        @Override
        public synchronized Document findAndModify(Document query) {
            update = query.get("update");
            return super.findAndModify(query);
        }

        @Override
        protected Integer addDocumentInternal(Document document) {
            Integer position = super.addDocumentInternal(document);
            changes.add("insert", getFullName(), document, null);
            return position;
        }

        @Override
        protected void handleUpdate(Integer position, Document before, Document after) {
            super.handleUpdate(position, before, after);
            if (update instanceof Document operators && operators.keySet().stream().allMatch(key -> key.startsWith("$"))) {
                changes.add("update", getFullName(), after, UpdateDescription.of(operators, before, after));
            } else {
                changes.add("replace", getFullName(), after, null);
            }
        }

        @Override
        protected void removeDocument(Integer position) {
            Document document = getDocument(position);
            super.removeDocument(position);
            changes.add("delete", getFullName(), document, null);
        }
    }
}
