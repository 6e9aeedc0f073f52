import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import java.io.IOException;
import java.util.List;

/**
 * Serves MongoDB's protocol from memory, for the tests of store/mongo. It prints its
 * address when it listens and ends with its standard input.
 */
class StandIn {
    /** The driver talks to no version before 4.4; this one takes its messages all the same. */
    record Version(List<Integer> getVersionArray, int getWireVersion) implements MongoVersion {}

    public static void main(String[] args) throws IOException {
        var backend = new MemoryBackend() {
            @Override
            public Document handleCommand(Channel channel, String database, String command, Document query) {
                return super.handleCommand(channel, database, command.equals("hello") ? "isMaster" : command, query);
            }
        };
        var server = new MongoServer(backend.version(new Version(List.of(6, 0, 0), 17)));
        server.bind();
        System.out.println(server.getConnectionString() + "/");
        System.in.transferTo(java.io.OutputStream.nullOutputStream());
        server.shutdownNow();
    }
}
