use apache_avro::Schema;
use apache_avro::schema::NamesRef;

use super::{MOST_DEPTH, SchemaError};

/// The most visits of a type that checking all defaults of a schema may take.
const MOST: usize = 1_000_000;

/// How often the library tries a default on each branch of a union.
const TRIES_OF_A_BRANCH: usize = 3;

/// Checks that a schema's defaults can be tried on its types in a reasonable time. It takes
/// exponentially long where types that are empty but for defaults use each other twice.
pub(super) fn check(
    schema: &Schema,
    names: &NamesRef<'_>,
    defaults: usize,
) -> Result<(), SchemaError> {
    Visits { names, open: Vec::new(), made: 0 }.visit(schema, None, defaults, 0)
}

struct Visits<'s> {
    names: &'s NamesRef<'s>,
    /// The records that are being visited. A default never goes around in a circle.
    open: Vec<String>,
    made: usize,
}

impl Visits<'_> {
    fn visit(
        &mut self,
        schema: &Schema,
        namespace: Option<&str>,
        times: usize,
        depth: usize,
    ) -> Result<(), SchemaError> {
        if depth > MOST_DEPTH {
            return Err(SchemaError::TooDeep);
        }
        self.made = self.made.saturating_add(times);
        if self.made > MOST {
            return Err(SchemaError::TooLarge);
        }
        match schema {
            Schema::Array(array) => self.visit(&array.items, namespace, times, depth + 1),
            Schema::Map(map) => self.visit(&map.types, namespace, times, depth + 1),
            Schema::Union(union) => {
                let times = times.saturating_mul(TRIES_OF_A_BRANCH);
                union.variants().iter().try_for_each(|b| self.visit(b, namespace, times, depth + 1))
            }
            Schema::Record(record) => {
                let name = record.name.fully_qualified_name(namespace).into_owned();
                let fullname = name.to_string();
                if self.open.contains(&fullname) {
                    return Ok(());
                }
                self.open.push(fullname);
                for field in &record.fields {
                    self.visit(&field.schema, name.namespace(), times, depth + 1)?;
                }
                self.open.pop();
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
