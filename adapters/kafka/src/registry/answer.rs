//! What the answers of a schema registry mean, whoever made it: Confluent, Apicurio or Karapace.
//!
//! An answer is a status and the code in its body; 0 where the body has none, as those of proxies and
//! of whatever else listens there.

/// What an answer other than the wanted one is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The registry: it cannot be asked, or this is none. Every other question would fare alike.
    Registry,
    /// What was asked for: the id, or the schema to be registered.
    Question,
}

/// What the answer to `GET /schemas/ids/{id}` is about.
///
/// | status | code | who says so, and when | about |
/// |---|---|---|---|
/// | 404 | 40403 | all three: they know no such id. Karapace also if the login may not read it | id |
/// | 404 | 40401, 40402, 40404–40407 | Confluent: the subject or version of the id is gone | id |
/// | 400, 422 | any | an id that the registry cannot hold, such as one beyond 2^31 | id |
/// | 404 | 404 | Confluent and Karapace: there is no such path; the address is wrong | registry |
/// | 404 | none | Apicurio, a proxy: there is no such path | registry |
/// | 401, 403 | any | the login is refused | registry |
/// | 405, 406 | any | something else listens there | registry |
/// | 407, 408, 429 | any | a proxy, a slow network, a limit on requests | registry |
/// | 3xx | none | it is elsewhere | registry |
/// | 500, 502–504 | 50001–50004 | its store, its leader or a node behind it is away | registry |
pub(super) const fn about_id(status: u16, code: u32) -> About {
    match (status, code) {
        (404, 40_400..=40_499) | (400 | 422, 1..) => About::Question,
        _ => About::Registry,
    }
}

/// What the answer to `POST /subjects/{subject}/versions` is about.
///
/// | status | code | who says so, and when | about |
/// |---|---|---|---|
/// | 409 | 409, 40901 | all three: the schema is incompatible. Apicurio also when it is read-only | schema |
/// | 422 | 42201, 42209 | all three: the schema is invalid, or too large for Karapace | schema |
/// | 422 | 42205 | Confluent: the registry or the subject is read-only | schema |
/// | 422 | 42206–42208 | a reference, an id or the subject's name does not suit | schema |
/// | 400 | any | it does not take the request as it is | schema |
/// | 403 | any | this login may not write, and may be able to read | schema |
/// | 405 | any | a read-only replica, or a proxy that lets nobody write | schema |
/// | all others | | as above | registry |
pub(super) const fn about_schema(status: u16) -> About {
    match status {
        400 | 403 | 405 | 409 | 422 => About::Question,
        _ => About::Registry,
    }
}

/// What to do about an answer; empty where it says so itself.
pub(super) const fn advice(status: u16, code: u32) -> &'static str {
    match (status, code) {
        (401, _) => "; it does not let us in: see SCHEMA_REGISTRY_USERNAME and its password",
        (403, _) => "; this login may not: see SCHEMA_REGISTRY_USERNAME, and what it is allowed",
        (404..=406, 0..=999) | (300..=399, _) => "; see SCHEMA_REGISTRY_URL",
        (407, _) => "; a proxy stands before it and wants a login: see HTTP_PROXY and NO_PROXY",
        (429, _) => "; it limits how often it is asked",
        _ => "",
    }
}
