use adapter_postgres::PgError;
use adapter_postgres::timeouts::in_time;
use application::StoreError;
use application::notification::{Contact, ContactChange, Customers, Replaces, StoredContact};
use chrono::{DateTime, Utc};
use domain::CustomerId;
use domain::notification::{EmailAddress, Language, LetterKind, Preferences};
use sqlx::PgConnection;

use super::PgNotifications;

/// A contact as the statements of this module select it.
#[derive(Debug)]
struct ContactRow {
    email: Option<String>,
    language: Option<String>,
    declined: Vec<String>,
    version: i64,
    updated_at: DateTime<Utc>,
}

/// A contact that this program never writes.
#[derive(Debug, thiserror::Error)]
#[error("a row of notification.customers has an invalid contact")]
struct ImpossibleContact;

impl Customers for PgNotifications {
    async fn find(&self, id: &CustomerId) -> Result<Option<StoredContact>, StoreError> {
        let find = sqlx::query_as!(
            ContactRow,
            "SELECT email, language, declined, version, updated_at FROM customers
             WHERE customer_id = $1",
            id.as_str()
        );
        let row =
            in_time(async { Ok::<_, PgError>(find.fetch_optional(&self.pool).await?) }).await?;
        Ok(row.map(ContactRow::into_contact).transpose()?.flatten())
    }

    async fn put(
        &self,
        id: &CustomerId,
        contact: &Contact,
        replaces: &Replaces,
    ) -> Result<ContactChange, StoreError> {
        in_time(self.put_contact(id, contact, replaces)).await
    }

    async fn erase(&self, id: &CustomerId, replaces: &Replaces) -> Result<bool, StoreError> {
        Ok(in_time(self.erase_customer(id, replaces)).await?)
    }
}

impl PgNotifications {
    async fn put_contact(
        &self,
        id: &CustomerId,
        contact: &Contact,
        replaces: &Replaces,
    ) -> Result<ContactChange, StoreError> {
        let mut transaction = self.pool.begin().await.map_err(PgError::from)?;
        let before = lock(&mut transaction, id).await?;
        if !replaces.allows(before) {
            return Ok(ContactChange::Refused);
        }
        let declined = contact.preferences.declined().map(LetterKind::as_str);
        let put = sqlx::query_as!(
            ContactRow,
            "UPDATE customers
             SET email = $2, language = $3, declined = $4, version = version + 1,
                 updated_at = clock_timestamp(), erased_at = NULL
             WHERE customer_id = $1
             RETURNING email, language, declined, version, updated_at",
            id.as_str(),
            contact.email.as_str(),
            contact.language.as_str(),
            &declined.collect::<Vec<_>>() as _
        );
        let row = put.fetch_one(&mut *transaction).await.map_err(PgError::from)?;
        let stored = row.into_contact()?.ok_or_else(ImpossibleContact::broken)?;
        transaction.commit().await.map_err(PgError::from)?;
        Ok(match before {
            None => ContactChange::Created(stored),
            Some(_) => ContactChange::Replaced(stored),
        })
    }

    /// The row of the customer is locked first. So whoever records a letter at the same moment has either
    /// committed it before the letters are deleted here, or finds that the customer was erased.
    async fn erase_customer(&self, id: &CustomerId, replaces: &Replaces) -> Result<bool, PgError> {
        let mut transaction = self.pool.begin().await?;
        let before = lock(&mut transaction, id).await?;
        if !replaces.allows(before) {
            return Ok(false);
        }
        let erase = sqlx::query!(
            "UPDATE customers
             SET email = NULL, language = NULL, declined = '{}', version = version + 1,
                 updated_at = clock_timestamp(), erased_at = clock_timestamp()
             WHERE customer_id = $1",
            id.as_str()
        );
        erase.execute(&mut *transaction).await?;
        let orders = sqlx::query!("DELETE FROM orders WHERE customer_id = $1", id.as_str());
        orders.execute(&mut *transaction).await?;
        // In the order of keys, against deadlocks with results that are stored at the same time.
        let letters = sqlx::query_scalar!(
            "DELETE FROM notifications WHERE id IN (
                 SELECT id FROM notifications WHERE channel = 'email' AND destination = $1
                 ORDER BY id FOR UPDATE)
             RETURNING id",
            id.as_str()
        );
        let letters = letters.fetch_all(&mut *transaction).await?;
        // A statement of its own also sees the attempts of results that the one before has waited for.
        let attempts =
            sqlx::query!("DELETE FROM attempts WHERE notification_id = ANY ($1)", &letters);
        attempts.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// Locks the row of the customer, which is created if there is none. Returns the version of the contact.
async fn lock(connection: &mut PgConnection, id: &CustomerId) -> Result<Option<i64>, PgError> {
    let create = sqlx::query!(
        "INSERT INTO customers (customer_id) VALUES ($1) ON CONFLICT DO NOTHING",
        id.as_str()
    );
    create.execute(&mut *connection).await?;
    let lock = sqlx::query!(
        "SELECT email IS NOT NULL AS has_contact, version FROM customers
         WHERE customer_id = $1 FOR UPDATE",
        id.as_str()
    );
    let row = lock.fetch_one(connection).await?;
    Ok((row.has_contact == Some(true)).then_some(row.version))
}

impl ContactRow {
    fn into_contact(self) -> Result<Option<StoredContact>, StoreError> {
        let Some((email, language)) = self.email.zip(self.language) else { return Ok(None) };
        let preferences = Preferences::without(declined_letters(&self.declined));
        let contact = Contact {
            email: email.parse::<EmailAddress>().map_err(|_| ImpossibleContact::broken())?,
            language: language.parse::<Language>().map_err(|_| ImpossibleContact::broken())?,
            preferences: preferences.map_err(|_| ImpossibleContact::broken())?,
        };
        let Self { version, updated_at, .. } = self;
        Ok(Some(StoredContact { contact, version, updated_at: updated_at.into() }))
    }
}

/// The letters with these names. Names that this version does not know are left out.
pub(super) fn declined_letters(names: &[String]) -> Vec<LetterKind> {
    let is_declined = |kind: &LetterKind| names.iter().any(|name| name == kind.as_str());
    LetterKind::ALL.into_iter().filter(is_declined).collect()
}

impl ImpossibleContact {
    fn broken() -> StoreError {
        StoreError::Broken(Box::new(Self))
    }
}
