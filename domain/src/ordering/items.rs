use std::collections::HashSet;

use super::{MedicationCoding, ProductId, Quantity};

/// An item of an order: a product and a quantity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderItem {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces are ordered.
    pub quantity: Quantity,
    /// The medication the customer means, if the customer named one.
    pub medication: Option<MedicationCoding>,
}

/// The items of an order: 1 to 100, each product at most once. They keep their sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderItems(Vec<OrderItem>);

/// Why a list of items is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// There are no items.
    #[error("must have at least one item")]
    None,
    /// There are more items than one order may have.
    #[error("must have at most {most} items, but has {has}", most = OrderItems::MAX)]
    TooMany {
        /// The number of items.
        has: usize,
    },
    /// An item has the same product as an earlier item.
    #[error(
        "product {product_id} is already in an earlier item; use one item with the total quantity"
    )]
    Repeated {
        /// The index of the later item, starting at 0.
        index: usize,
        /// The product of both items.
        product_id: ProductId,
    },
}

impl OrderItems {
    /// Maximum number of items in one order.
    pub const MAX: usize = 100;

    /// The items, in their original sequence.
    #[must_use]
    pub fn as_slice(&self) -> &[OrderItem] {
        &self.0
    }
}

impl TryFrom<Vec<OrderItem>> for OrderItems {
    type Error = ItemsError;

    fn try_from(items: Vec<OrderItem>) -> Result<Self, Self::Error> {
        if items.is_empty() {
            return Err(ItemsError::None);
        }
        if items.len() > Self::MAX {
            return Err(ItemsError::TooMany { has: items.len() });
        }
        let mut seen = HashSet::with_capacity(items.len());
        for (index, OrderItem { product_id, .. }) in items.iter().enumerate() {
            if !seen.insert(*product_id) {
                return Err(ItemsError::Repeated { index, product_id: *product_id });
            }
        }
        Ok(Self(items))
    }
}
