use apache_avro::Schema;
use apache_avro::schema::NamesRef;

use super::{MAX_DEPTH, SchemaError};

/// Maximum number of type visits for checking all defaults of a schema.
const MAX_VISITS: usize = 1_000_000;

/// How often the library checks a default against each branch of a union.
const CHECKS_PER_BRANCH: usize = 3;

/// Checks that the library can check the defaults of a schema in a reasonable time.
///
/// The time grows exponentially if types have only fields with defaults and use each other twice.
pub(super) fn check(
    schema: &Schema,
    names: &NamesRef<'_>,
    defaults: usize,
) -> Result<(), SchemaError> {
    DefaultCost { names, in_progress: Vec::new(), visits: 0 }.visit(schema, None, defaults, 0)
}

struct DefaultCost<'s> {
    names: &'s NamesRef<'s>,
    /// The records that are being visited. A default cannot be recursive.
    in_progress: Vec<String>,
    visits: usize,
}

impl DefaultCost<'_> {
    fn visit(
        &mut self,
        schema: &Schema,
        namespace: Option<&str>,
        times: usize,
        depth: usize,
    ) -> Result<(), SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        self.visits = self.visits.saturating_add(times);
        if self.visits > MAX_VISITS {
            return Err(SchemaError::TooLarge);
        }
        match schema {
            Schema::Array(array) => self.visit(&array.items, namespace, times, depth + 1),
            Schema::Map(map) => self.visit(&map.types, namespace, times, depth + 1),
            Schema::Union(union) => {
                let times = times.saturating_mul(CHECKS_PER_BRANCH);
                union.variants().iter().try_for_each(|b| self.visit(b, namespace, times, depth + 1))
            }
            Schema::Record(record) => {
                let name = record.name.fully_qualified_name(namespace).into_owned();
                let fullname = name.to_string();
                if self.in_progress.contains(&fullname) {
                    return Ok(());
                }
                self.in_progress.push(fullname);
                for field in &record.fields {
                    self.visit(&field.schema, name.namespace(), times, depth + 1)?;
                }
                self.in_progress.pop();
                Ok(())
            }
            Schema::Ref { name } => {
                let name = name.fully_qualified_name(namespace).into_owned();
                match self.names.get(&name) {
                    Some(schema) => self.visit(schema, name.namespace(), times, depth + 1),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }
}
