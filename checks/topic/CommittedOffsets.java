import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Prints the committed offsets of a group without members, with their metadata, or commits them again. (The Python
 * client cannot read the metadata: it expects a zero byte after it.)
 *
 * <pre>
 * CommittedOffsets SERVERS GROUP            print a line for each partition: topic, partition, offset, metadata
 * CommittedOffsets SERVERS GROUP OFFSETS    commit these lines
 * </pre>
 */
class CommittedOffsets {
    public static void main(String[] args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", args[0]))) {
            if (args.length == 2) {
                admin.listConsumerGroupOffsets(args[1]).partitionsToOffsetAndMetadata().get().forEach(
                    (partition, commit) -> System.out.println(String.join(",", partition.topic(),
                        String.valueOf(partition.partition()), String.valueOf(commit.offset()), commit.metadata())));
                return;
            }
            Map<TopicPartition, OffsetAndMetadata> commits = new LinkedHashMap<>();
            args[2].lines().map(line -> line.split(",", 4)).forEach(part -> commits.put(
                new TopicPartition(part[0], Integer.parseInt(part[1])),
                new OffsetAndMetadata(Long.parseLong(part[2]), Optional.empty(), part[3])));
            admin.alterConsumerGroupOffsets(args[1], commits).all().get();
        }
    }
}
