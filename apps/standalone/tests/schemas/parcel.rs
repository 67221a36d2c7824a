use serde_json::{Value, json};

/// The schema of an event with fields of all types.
pub(crate) struct Parcel(pub(crate) Value);

impl Parcel {
    /// The first version.
    pub(crate) fn v1() -> Self {
        Self(json!({
            "type": "record", "name": "ParcelSent", "namespace": "shipping",
            "fields": [
                { "name": "parcelId", "type": { "type": "string", "logicalType": "uuid" } },
                { "name": "sentAt", "type": { "type": "long", "logicalType": "timestamp-micros" } },
                { "name": "weight", "type": "int" },
                { "name": "distance", "type": "long" },
                { "name": "sender", "type": "string" },
                { "name": "note", "type": "string", "default": "" },
                { "name": "phone", "type": ["null", "string"], "default": null },
                { "name": "contact", "type": ["null", "string", "long"], "default": null },
                { "name": "tags", "type": { "type": "array", "items": "string" } },
                { "name": "labels", "type": { "type": "map", "values": "string" } },
                { "name": "state", "type":
                    { "type": "enum", "name": "State", "symbols": ["PACKED", "SENT"] } },
                { "name": "carrier", "type":
                    { "type": "enum", "name": "Carrier", "symbols": ["POST", "COURIER"],
                      "default": "POST" } },
                { "name": "seal", "type": { "type": "fixed", "name": "Seal", "size": 16 } },
                { "name": "price", "type":
                    { "type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2 } },
                { "name": "items", "type": { "type": "array", "items":
                    { "type": "record", "name": "Item", "fields": [
                        { "name": "productId", "type": "long" },
                        { "name": "quantity", "type": "int" }
                    ] } } },
                { "name": "largest", "type": "Item" }
            ]
        }))
    }

    /// The first version with this change.
    pub(crate) fn edited(edit: fn(&mut Self)) -> Self {
        let mut parcel = Self::v1();
        edit(&mut parcel);
        parcel
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    fn fields(&mut self) -> &mut Vec<Value> {
        self.0["fields"].as_array_mut().unwrap()
    }

    pub(crate) fn field(&mut self, name: &str) -> &mut Value {
        self.fields().iter_mut().find(|field| field["name"] == name).unwrap()
    }

    /// Sets a field's type.
    pub(crate) fn retype(&mut self, name: &str, to: Value) {
        self.field(name)["type"] = to;
    }

    pub(crate) fn add(&mut self, field: Value) {
        self.fields().push(field);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.fields().retain(|field| field["name"] != name);
    }

    pub(crate) fn reverse(&mut self) {
        self.fields().reverse();
    }

    /// The record in `items`.
    pub(crate) fn item(&mut self) -> &mut Value {
        &mut self.field("items")["type"]["items"]
    }

    pub(crate) fn item_fields(&mut self) -> &mut Vec<Value> {
        self.item()["fields"].as_array_mut().unwrap()
    }
}
