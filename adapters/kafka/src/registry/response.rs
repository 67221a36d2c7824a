//! Classification of error responses of schema registries: Confluent, Apicurio and Karapace.
//!
//! A response has an HTTP status and an error code in its body. The code is 0 if the body has none,
//! as in responses of proxies and of other servers.

/// What caused an error response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailedBy {
    /// The registry: it is unavailable, or is no registry. Every other request would fail too.
    Registry,
    /// The request: the id, or the schema to register.
    Request,
}

/// The cause of an error response to `GET /schemas/ids/{id}`.
///
/// | status | code | sent by, and when | cause |
/// |---|---|---|---|
/// | 404 | 40403 | all three: unknown id. Karapace also if the user may not read it | id |
/// | 404 | 40401, 40402, 40404–40407 | Confluent: its subject or version was deleted | id |
/// | 400, 422 | any | an id that the registry cannot have, such as 2^31 or more | id |
/// | 404 | 404 | Confluent and Karapace: unknown path; the URL is wrong | registry |
/// | 404 | none | Apicurio, a proxy: unknown path | registry |
/// | 401, 403 | any | authentication or authorization failed | registry |
/// | 405, 406 | any | another server listens at this URL | registry |
/// | 407, 408, 429 | any | a proxy, a slow network, a rate limit | registry |
/// | 3xx | none | a redirect | registry |
/// | 500, 502–504 | 50001–50004 | its store or its leader is unavailable | registry |
pub(super) const fn id_lookup_failed_by(status: u16, code: u32) -> FailedBy {
    match (status, code) {
        (404, 40_400..=40_499) | (400 | 422, 1..) => FailedBy::Request,
        _ => FailedBy::Registry,
    }
}

/// The cause of an error response to `POST /subjects/{subject}/versions`.
///
/// | status | code | sent by, and when | cause |
/// |---|---|---|---|
/// | 409 | 409, 40901 | all three: incompatible schema. Apicurio also if read-only | schema |
/// | 422 | 42201, 42209 | all three: the schema is invalid, or too large for Karapace | schema |
/// | 422 | 42205 | Confluent: the registry or the subject is read-only | schema |
/// | 422 | 42206–42208 | a reference, an id or the subject's name is invalid | schema |
/// | 400 | any | the request is invalid | schema |
/// | 403 | any | the user is not allowed to write, but may be allowed to read | schema |
/// | 405 | any | a read-only replica, or a proxy that blocks writes | schema |
/// | all others | | as above | registry |
pub(super) const fn registration_failed_by(status: u16) -> FailedBy {
    match status {
        400 | 403 | 405 | 409 | 422 => FailedBy::Request,
        _ => FailedBy::Registry,
    }
}

/// What an operator can do about an error response. Empty if the response itself says it.
pub(super) const fn advice(status: u16, code: u32) -> &'static str {
    match (status, code) {
        (401, _) => "; check SCHEMA_REGISTRY_USERNAME and its password",
        (403, _) => "; check the permissions of the user in SCHEMA_REGISTRY_USERNAME",
        (404..=406, 0..=999) | (300..=399, _) => "; check SCHEMA_REGISTRY_URL",
        (407, _) => "; a proxy requires authentication: check HTTP_PROXY and NO_PROXY",
        (429, _) => "; the registry limits the rate of requests",
        _ => "",
    }
}
