//! Compatible and incompatible changes of a schema. The command and the embedded registry must
//! agree.

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::parcel::Parcel;
use crate::registry::Registry;

type Edit = fn(&mut Parcel);

/// Changes after which old and new programs can read the events of each other.
const COMPATIBLE: [(&str, Edit); 12] = [
    ("nothing", |_| ()),
    ("an optional field is added", |p| {
        p.add(json!({ "name": "colour", "type": ["null", "string"], "default": null }));
    }),
    ("a field with a default is added", |p| {
        p.add(json!({ "name": "colour", "type": "string", "default": "brown" }));
    }),
    ("a field with a default is removed", |p| p.remove("note")),
    ("a field with a default is added to a nested record", |p| {
        p.item_fields().push(json!({ "name": "colour", "type": "string", "default": "" }));
    }),
    ("a field is described", |p| p.field("weight")["doc"] = json!("In grams.")),
    ("the fields come in another order", |p| {
        // Avro defines a record at its first use.
        let item = p.item().clone();
        p.retype("largest", item);
        *p.item() = json!("Item");
        p.reverse();
    }),
    ("a field gets an alias", |p| p.field("weight")["aliases"] = json!(["mass"])),
    // All earlier versions have the field. But now it can never be removed.
    ("a default is removed", |p| drop(p.field("note").as_object_mut().unwrap().remove("default"))),
    ("a default is changed", |p| p.field("note")["default"] = json!("none")),
    ("a symbol is added to an enum with a default", |p| {
        p.field("carrier")["type"]["symbols"] = json!(["POST", "COURIER", "DRONE"]);
    }),
    ("a symbol is removed from an enum with a default", |p| {
        p.field("carrier")["type"]["symbols"] = json!(["POST"]);
    }),
];

/// Changes that break readers, with the expected field and reason.
const INCOMPATIBLE: [(&str, Edit); 37] = [
    ("field colour: was added (or renamed) without a default", |p| {
        p.add(json!({ "name": "colour", "type": "string" }));
    }),
    ("field weight: was removed (or renamed) and has no default", |p| p.remove("weight")),
    ("field mass: was added (or renamed) without a default", |p| {
        p.field("weight")["name"] = json!("mass");
    }),
    // The new program knows the alias, but the old one does not.
    ("field weight: was removed (or renamed) and has no default", |p| {
        p.field("weight")["name"] = json!("mass");
        p.field("mass")["aliases"] = json!(["weight"]);
    }),
    // A reader can widen a type, but not narrow it.
    ("field weight: int was changed to long", |p| p.retype("weight", json!("long"))),
    ("field distance: long was changed to int", |p| p.retype("distance", json!("int"))),
    ("field distance: long was changed to double", |p| p.retype("distance", json!("double"))),
    ("field distance: long was changed to string", |p| p.retype("distance", json!("string"))),
    ("field sender: string was changed to bytes", |p| p.retype("sender", json!("bytes"))),
    ("field weight: int was changed to union of null, int", |p| {
        p.retype("weight", json!(["null", "int"]));
    }),
    ("field phone: union of null, string was changed to string", |p| {
        *p.field("phone") = json!({ "name": "phone", "type": "string", "default": "" });
    }),
    ("field contact: the branch long was removed", |p| {
        p.retype("contact", json!(["null", "string"]));
    }),
    ("field contact: the branch boolean was added", |p| {
        p.retype("contact", json!(["null", "string", "long", "boolean"]));
    }),
    ("field contact: the branch long was removed", |p| {
        let time = json!({ "type": "long", "logicalType": "timestamp-millis" });
        p.retype("contact", json!(["null", "string", time]));
    }),
    ("field tags: array of string was changed to map of string", |p| {
        p.retype("tags", json!({ "type": "map", "values": "string" }));
    }),
    ("field tags[]: string was changed to long", |p| {
        p.field("tags")["type"]["items"] = json!("long");
    }),
    ("field labels{}: string was changed to int", |p| {
        p.field("labels")["type"]["values"] = json!("int");
    }),
    ("field items[].colour: was added (or renamed) without a default", |p| {
        p.item_fields().push(json!({ "name": "colour", "type": "string" }));
    }),
    ("field items[].quantity: was removed (or renamed) and has no default", |p| {
        p.item_fields().retain(|field| field["name"] != "quantity");
    }),
    ("field items[].productId: long was changed to string", |p| {
        p.item_fields()[0]["type"] = json!("string");
    }),
    ("field items[]: record shipping.Item was changed to record shipping.Line", |p| {
        p.item()["name"] = json!("Line");
        p.retype("largest", json!("Line"));
    }),
    ("field items[]: record shipping.Item was changed to record goods.Item", |p| {
        p.item()["namespace"] = json!("goods");
        p.retype("largest", json!("goods.Item"));
    }),
    ("field state: the symbol SENT was removed, and the enum has no default", |p| {
        p.field("state")["type"]["symbols"] = json!(["PACKED"]);
    }),
    ("field state: the symbol LOST was added, and the enum has no default", |p| {
        p.field("state")["type"]["symbols"] = json!(["PACKED", "SENT", "LOST"]);
    }),
    ("field state: enum shipping.State was changed to enum shipping.Stage", |p| {
        p.field("state")["type"]["name"] = json!("Stage");
    }),
    ("field seal: fixed shipping.Seal of 16 bytes was changed to fixed shipping.Seal of 8", |p| {
        p.field("seal")["type"]["size"] = json!(8);
    }),
    ("field seal: fixed shipping.Seal of 16 bytes was changed to fixed shipping.Stamp of", |p| {
        p.field("seal")["type"]["name"] = json!("Stamp");
    }),
    // Avro accepts these, but would read milliseconds as microseconds.
    (
        "field sentAt: timestamp-micros was changed to timestamp-millis, which gives the same bytes \
         another meaning",
        |p| p.field("sentAt")["type"]["logicalType"] = json!("timestamp-millis"),
    ),
    (
        "field sentAt: timestamp-micros was changed to local-timestamp-micros, which gives the same \
         bytes another meaning",
        |p| p.field("sentAt")["type"]["logicalType"] = json!("local-timestamp-micros"),
    ),
    (
        "field sentAt: timestamp-micros was changed to long, which gives the same bytes another \
         meaning",
        |p| p.retype("sentAt", json!("long")),
    ),
    (
        "field distance: long was changed to timestamp-micros, which gives the same bytes another \
         meaning",
        |p| p.retype("distance", json!({ "type": "long", "logicalType": "timestamp-micros" })),
    ),
    // A later event may have a text that is not a UUID, which an old program cannot read.
    (
        "field parcelId: uuid was changed to string, which gives the same bytes another meaning",
        |p| p.retype("parcelId", json!("string")),
    ),
    ("field sender: string was changed to uuid, which gives the same bytes another meaning", |p| {
        p.retype("sender", json!({ "type": "string", "logicalType": "uuid" }));
    }),
    (
        "field price: decimal(10, 2) was changed to decimal(10, 3), which gives the same bytes \
         another meaning",
        |p| p.field("price")["type"]["scale"] = json!(3),
    ),
    (
        "field price: decimal(10, 2) was changed to bytes, which gives the same bytes another meaning",
        |p| p.retype("price", json!("bytes")),
    ),
    (
        "the schema itself: record shipping.ParcelSent was changed to record shipping.ParcelPosted",
        |p| p.0["name"] = json!("ParcelPosted"),
    ),
    (
        "the schema itself: record shipping.ParcelSent was changed to record parcels.ParcelSent",
        |p| p.0["namespace"] = json!("parcels"),
    ),
];

/// A folder with the released `parcel-sent` and this change as its second version.
fn with_second_version(edit: Edit) -> Folder {
    let folder = Folder::new();
    folder.write("parcel-sent/v1.avsc", &Parcel::v1().text());
    folder.release();
    folder.write("parcel-sent/v2.avsc", &Parcel::edited(edit).text());
    folder
}

#[test]
fn a_compatible_change_passes() {
    for (change, edit) in COMPATIBLE {
        let run = with_second_version(edit).check();
        assert_eq!((run.code, run.err.as_slice()), (Some(0), [].as_slice()), "{change}");
        let reported = run.out.contains(&"parcel-sent: 2 compatible version(s)".to_owned());
        assert!(reported, "{change}: {:?}", run.out);
    }
}

#[test]
fn an_incompatible_change_fails_with_the_event_the_versions_the_field_and_the_reason() {
    for (wrong, edit) in INCOMPATIBLE {
        let run = with_second_version(edit).check();
        assert_eq!((run.code, run.err.len()), (Some(1), 1), "{wrong}: {run:?}");
        let expected = format!("error: parcel-sent: v2 is not compatible with v1: {wrong}");
        assert!(run.err[0].starts_with(&expected), "{wrong}: {}", run.err[0]);
        assert!(run.err[0].contains("so that the "), "{}", run.err[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_registry_decides_the_same_for_every_change() {
    let registry = Registry::start().await;
    registry.register("parcels", &Parcel::v1().text()).await;
    let verdict = async |edit: Edit| {
        let path = "/compatibility/subjects/parcels/versions?verbose=true";
        let body = json!({ "schema": Parcel::edited(edit).text() });
        let verdict: Value = registry.send("POST", path, body).await;
        (verdict["is_compatible"] == json!(true), verdict["messages"][0].clone())
    };
    for (change, edit) in COMPATIBLE {
        assert_eq!(verdict(edit).await, (true, Value::Null), "{change}");
    }
    for (wrong, edit) in INCOMPATIBLE {
        let (compatible, reason) = verdict(edit).await;
        let reason = reason.as_str().unwrap_or_default();
        assert!(
            !compatible && reason.starts_with(&format!("version 1: {wrong}")),
            "{wrong}: {reason}"
        );
    }
}
