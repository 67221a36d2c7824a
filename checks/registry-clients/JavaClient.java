import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;

/**
 * Calls the methods of Confluent's Java client: of the client that its serializers use, and of the layer below.
 *
 * <p>JavaClient.java URL PREFIX
 *
 * <p>Prints one line for each call. All its subjects start with PREFIX; it deletes them at the end. Fails if a call does
 * not return what it should.
 */
public class JavaClient {
    private static final String ID = "{\"name\":\"orderId\",\"type\":\"string\"}";
    private static final String NOTE = "{\"name\":\"note\",\"type\":\"string\",\"default\":\"\"}";
    private static final String PRICE = "{\"name\":\"price\",\"type\":\"long\"}";

    private static final List<String> failed = new ArrayList<>();

    /** Calls a method. `expected` is a test of its result, or of the text "status code" of its error. */
    private static Object call(String name, Predicate<Object> expected, Callable<?> method) {
        Object result;
        try {
            result = method.call();
        } catch (RestClientException error) {
            result = error.getStatus() + " " + error.getErrorCode();
        } catch (Exception error) {
            result = error;
        }
        boolean fits = expected.test(result);
        System.out.println("java: " + name + ": " + (fits ? "" : "FAILED: ") + "%.120s".formatted(result));
        if (!fits) {
            failed.add(name);
        }
        return result;
    }

    private static Object call(String name, Object expected, Callable<?> method) {
        return call(name, (Predicate<Object>) result -> Objects.equals(result, expected), method);
    }

    private static Predicate<Object> contains(Object element) {
        return result -> result instanceof Collection<?> list && list.contains(element);
    }

    private static Predicate<Object> hasSize(int size) {
        return result -> result instanceof Collection<?> list && list.size() == size;
    }

    private static Callable<?> nothing(Action action) {
        return () -> {
            action.run();
            return "done";
        };
    }

    private interface Action {
        void run() throws Exception;
    }

    public static void main(String[] arguments) {
        String url = arguments[0];
        String prefix = arguments[1];
        String subject = prefix + "-client";
        String record = "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"checks\",\"fields\":[%s]}";
        AvroSchema v1 = new AvroSchema(record.formatted(ID));
        AvroSchema v2 = new AvroSchema(record.formatted(ID + "," + NOTE));
        AvroSchema incompatible = new AvroSchema(record.formatted(ID + "," + PRICE));
        Predicate<Object> isId = result -> result instanceof Integer id && id > 0;

        RestService rest = new RestService(url);
        CachedSchemaRegistryClient client = new CachedSchemaRegistryClient(rest, 100);
        // Has an empty cache, so that each read is a request.
        CachedSchemaRegistryClient reader = new CachedSchemaRegistryClient(new RestService(url), 100);

        Object first = call("register", isId, () -> client.register(subject, v1));
        call("register(normalize=true)", isId, () -> client.register(subject, v2, true));
        call("register, incompatible", "409 409", () -> client.register(subject, incompatible));
        call("register, invalid subject", "422 42208", () -> client.register("nul\0", v1));
        call("register with an id", "422 42205", () -> client.register(subject, incompatible, 9, 999_999));
        int id = first instanceof Integer number ? number : 0;

        call("getSchemaById", v1, () -> reader.getSchemaById(id));
        call("getSchemaById, unknown", "404 40403", () -> reader.getSchemaById(Integer.MAX_VALUE));
        call("getSchemaBySubjectAndId", v1, () -> reader.getSchemaBySubjectAndId(subject, id));
        call("getSchemas", hasSize(2), () -> reader.getSchemas(subject, false, false));
        call("getSchemas(latestOnly=true)", hasSize(1), () -> reader.getSchemas(subject, true, true));
        call("getAllSubjectsById", List.of(subject), () -> List.copyOf(reader.getAllSubjectsById(id)));
        call("getAllVersionsById", hasSize(1), () -> reader.getAllVersionsById(id));
        call("getByVersion", 1, () -> reader.getByVersion(subject, 1, true).getVersion());
        call("getLatestSchemaMetadata", 2, () -> reader.getLatestSchemaMetadata(subject).getVersion());
        call("getSchemaMetadata", id, () -> reader.getSchemaMetadata(subject, 1).getId());
        call("getSchemaMetadata(deleted=true)", id, () -> reader.getSchemaMetadata(subject, 1, true).getId());
        call("getVersion", 2, () -> reader.getVersion(subject, v2));
        call("getVersion(normalize=true)", 1, () -> reader.getVersion(subject, v1, true));
        call("getId", id, () -> reader.getId(subject, v1));
        call("getId, unknown", "404 40403", () -> reader.getId(subject, incompatible));
        call("getAllVersions", List.of(1, 2), () -> reader.getAllVersions(subject));
        call("getAllVersions(deleted=true)", List.of(1, 2), () -> reader.getAllVersions(subject, true));
        call("getAllSubjects", contains(subject), () -> reader.getAllSubjects());
        call("getAllSubjects(deleted=true)", contains(subject), () -> reader.getAllSubjects(true));
        call("getAllSubjectsByPrefix", List.of(subject), () -> List.copyOf(reader.getAllSubjectsByPrefix(prefix)));

        call("testCompatibility", true, () -> reader.testCompatibility(subject, v2));
        call("testCompatibility, incompatible", false, () -> reader.testCompatibility(subject, incompatible));
        call("testCompatibilityVerbose", List.of(), () -> reader.testCompatibilityVerbose(subject, v1));
        call("testCompatibilityVerbose, incompatible", hasSize(1),
            () -> reader.testCompatibilityVerbose(subject, incompatible, true));

        call("RestService.testCompatibility, all versions", List.of(),
            () -> rest.testCompatibility(v2.canonicalString(), subject, false));

        call("updateCompatibility", "NONE", () -> client.updateCompatibility(subject, "NONE"));
        call("getCompatibility", "NONE", () -> reader.getCompatibility(subject));
        call("deleteCompatibility", "done", nothing(() -> client.deleteCompatibility(subject)));
        call("getCompatibility, none", "404 40408", () -> reader.getCompatibility(subject));
        call("updateConfig", "FULL", () -> client.updateConfig(null, new Config("FULL")).getCompatibilityLevel());
        call("getConfig", "FULL", () -> reader.getConfig(null).getCompatibilityLevel());
        call("deleteConfig", "done", nothing(() -> client.deleteConfig(null)));

        call("getMode", "READWRITE", () -> reader.getMode());
        call("getMode of a subject", "READWRITE", () -> reader.getMode(subject));
        call("RestService.getAllContexts", List.of("."), () -> rest.getAllContexts());
        call("RestService.getSchemaTypes", List.of("AVRO"), () -> rest.getSchemaTypes());
        call("RestService.getReferencedBy", List.of(), () -> rest.getReferencedBy(subject, 1));
        call("RestService.getVersionSchemaOnly", v1.canonicalString(), () -> rest.getVersionSchemaOnly(subject, 1));
        call("RestService.getLatestVersionSchemaOnly", v2.canonicalString(),
            () -> rest.getLatestVersionSchemaOnly(subject));

        // Features that this registry does not have. A client must learn that, and not retry.
        call("getLatestWithMetadata", "404 404", () -> reader.getLatestWithMetadata(subject, Map.of("a", "b"), false));
        call("setMode", "405 405", () -> client.setMode("READONLY", subject, true));
        call("deleteMode", "405 405", nothing(() -> client.deleteMode(subject)));

        call("deleteSchemaVersion", 1, () -> client.deleteSchemaVersion(subject, "1", false));
        call("RestService.getDeletedOnlyVersions", List.of(1), () -> rest.getDeletedOnlyVersions(subject));
        call("RestService.getDeletedOnlySubjects", List.of(subject), () -> rest.getDeletedOnlySubjects(prefix));
        call("deleteSchemaVersion(permanent=true)", 1, () -> client.deleteSchemaVersion(subject, "1", true));
        call("deleteSubject, permanent too early", "404 40405", () -> client.deleteSubject(subject, true));
        call("deleteSubject", List.of(2), () -> client.deleteSubject(subject, false));
        call("deleteSubject(permanent=true)", List.of(2), () -> client.deleteSubject(subject, true));
        call("getAllSubjectsByPrefix, none", hasSize(0), () -> reader.getAllSubjectsByPrefix(prefix));

        if (!failed.isEmpty()) {
            System.err.println("java: " + failed.size() + " calls failed: " + String.join("; ", failed));
            System.exit(1);
        }
    }
}
