package replica;

import de.bwaldvogel.mongo.MongoServer;
import java.net.InetSocketAddress;

/**
 * Serves MongoDB's protocol from memory, as a replica set of one for the tests: Main PORT [CHANGES]. The number says how
 * many changes are kept for streams that resume.
 */
public final class Main {
    /** A stream that waits for changes holds a thread, and with it the connections that share the thread. */
    private static final int THREADS = 256;

    public static void main(String[] args) {
        int port = Integer.parseInt(args[0]);
        int keptChanges = args.length > 1 ? Integer.parseInt(args[1]) : 10_000;
        MongoServer server = new MongoServer(new ReplicaBackend("127.0.0.1:" + port, keptChanges));
        server.enableOplog();
        server.bind(new InetSocketAddress("127.0.0.1", port), 1, THREADS);
    }
}
