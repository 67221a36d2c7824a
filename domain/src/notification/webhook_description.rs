use crate::text::text_value;

text_value! {
    /// What a webhook is for, in the words of its owner: 1 to 200 characters after trimming.
    WebhookDescription, 200, readable, stored
}
