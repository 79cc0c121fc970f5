package replica;

import de.bwaldvogel.mongo.bson.Document;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;

/** What an update with operators changed, by paths, as mongod 5.0 tells it. Elements of arrays come as the whole array. */
final class UpdateDescription {
    private static final Object MISSING = new Object();

    private UpdateDescription() {
    }

    static Document of(Document operators, Document before, Document after) {
        Document updated = new Document();
        List<Object> removed = new ArrayList<>();
        for (String path : paths(operators)) {
            String[] names = path.split("\\.");
            Object value = get(after, names, names.length);
            if (Objects.equals(get(before, names, names.length), value)) {
                continue;
            }
            if (value == MISSING) {
                removed.add(path);
            } else {
                int length = lengthOfChanged(before, after, names);
                updated.put(String.join(".", List.of(names).subList(0, length)), get(after, names, length));
            }
        }
        return new Document("updatedFields", updated.cloneDeeply())
            .append("removedFields", removed)
            .append("truncatedArrays", List.of());
    }

    private static Iterable<String> paths(Document operators) {
        TreeSet<String> paths = new TreeSet<>();
        for (String operator : operators.keySet()) {
            Document change = (Document) operators.get(operator);
            paths.addAll(change.keySet());
            if (operator.equals("$rename")) {
                change.values().forEach(name -> paths.add((String) name));
            }
        }
        return paths;
    }

    /** A field that was made for one within it is told whole. */
    private static int lengthOfChanged(Document before, Document after, String[] names) {
        for (int length = 1; length < names.length; length++) {
            boolean isDocument = get(after, names, length) instanceof Document;
            if (!isDocument || get(before, names, length) == MISSING) {
                return length;
            }
        }
        return names.length;
    }

    private static Object get(Document document, String[] names, int length) {
        Object value = document;
        for (int index = 0; index < length; index++) {
            if (value instanceof List) {
                return value;
            }
            if (!(value instanceof Document parent) || !parent.containsKey(names[index])) {
                return MISSING;
            }
            value = parent.get(names[index]);
        }
        return value;
    }
}
