use adapter_http::{BodyErrors, Problem};
use application::notification::{Contact, StoredContact};
use chrono::{DateTime, Utc};
use domain::CustomerId;
use domain::notification::{LetterKind, Preferences};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How to reach a customer
#[derive(Deserialize, ToSchema)]
#[schema(as = ContactSettings, example = json!({
    "email": "ada@example.org", "language": "en", "preferences": {"confirmed": false},
}))]
#[serde(deny_unknown_fields)]
pub(super) struct ContactBody {
    /// The address for letters, in ASCII. Longer parts are accepted too
    #[schema(
        max_length = 254,
        pattern = r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,30}){0,1}@[A-Za-z0-9]([A-Za-z0-9-]{0,40}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,40}[A-Za-z0-9])?){0,3}$"
    )]
    email: String,
    /// The language of letters: `en`, `de` or `fr`
    #[schema(pattern = "^(en|de|fr)$")]
    language: String,
    /// Which letters the customer wants; by default, all
    #[serde(default)]
    #[schema(nullable = false)]
    preferences: PreferencesJson,
}

/// Which letters a customer wants. Letters about a rejection or a cancellation are always sent
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[schema(as = Preferences)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "one for each letter")]
pub(super) struct PreferencesJson {
    /// That the order was received
    #[schema(default = true)]
    received: bool,
    /// That the pharmacy has confirmed it
    #[schema(default = true)]
    confirmed: bool,
    /// That it is ready to be picked up
    #[schema(default = true)]
    ready: bool,
    /// That the customer has it
    #[schema(default = true)]
    completed: bool,
    /// That it could not be cancelled any more
    #[schema(default = true)]
    cancellation_declined: bool,
}

/// The contact of a customer
#[derive(Serialize, ToSchema)]
#[schema(as = Contact, example = json!({
    "customerId": "customer-1",
    "email": "ada@example.org",
    "language": "en",
    "preferences": {
        "received": true, "confirmed": false, "ready": true, "completed": true, "cancellationDeclined": true,
    },
    "updatedAt": "2026-01-31T12:00:00.000000Z",
}))]
#[serde(rename_all = "camelCase")]
pub(super) struct ContactJson {
    /// The id of the customer
    customer_id: String,
    /// The address for letters
    email: String,
    /// The language of letters
    language: &'static str,
    /// Which letters the customer wants
    preferences: PreferencesJson,
    /// When the contact was changed last
    #[serde(serialize_with = "adapter_http::timestamp")]
    updated_at: DateTime<Utc>,
}

impl ContactBody {
    pub(super) fn contact(self) -> Result<Contact, Problem> {
        let mut errors = BodyErrors::default();
        let email = errors.collect(self.email.parse(), "#/email");
        let language = errors.collect(self.language.parse(), "#/language");
        let preferences = self.preferences.preferences();
        let read = email.zip(language);
        errors.finish(read.map(|(email, language)| Contact { email, language, preferences }))
    }
}

impl Default for PreferencesJson {
    fn default() -> Self {
        (&Preferences::default()).into()
    }
}

impl PreferencesJson {
    fn preferences(self) -> Preferences {
        let declined = [
            (self.received, LetterKind::Received),
            (self.confirmed, LetterKind::Confirmed),
            (self.ready, LetterKind::Ready),
            (self.completed, LetterKind::Completed),
            (self.cancellation_declined, LetterKind::CancellationDeclined),
        ];
        let declined = declined.into_iter().filter(|(wanted, _)| !wanted).map(|(_, kind)| kind);
        Preferences::without(declined).unwrap_or_default()
    }
}

impl From<&Preferences> for PreferencesJson {
    fn from(preferences: &Preferences) -> Self {
        Self {
            received: preferences.wants(LetterKind::Received),
            confirmed: preferences.wants(LetterKind::Confirmed),
            ready: preferences.wants(LetterKind::Ready),
            completed: preferences.wants(LetterKind::Completed),
            cancellation_declined: preferences.wants(LetterKind::CancellationDeclined),
        }
    }
}

impl ContactJson {
    pub(super) fn new(id: &CustomerId, stored: &StoredContact) -> Self {
        let StoredContact { contact, updated_at, .. } = stored;
        Self {
            customer_id: id.to_string(),
            email: contact.email.as_str().to_owned(),
            language: contact.language.as_str(),
            preferences: (&contact.preferences).into(),
            updated_at: updated_at.get(),
        }
    }
}
