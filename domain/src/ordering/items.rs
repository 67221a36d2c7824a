use std::collections::HashSet;

use super::{MedicationCoding, ProductId, Quantity};

/// So many pieces of one product.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderItem {
    /// The product.
    pub product_id: ProductId,
    /// The pieces of it.
    pub quantity: Quantity,
    /// Which medication the customer means by it, if that was said.
    pub medication: Option<MedicationCoding>,
}

/// What is ordered: 1 to 100 items, each product once, in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderItems(Vec<OrderItem>);

/// Why a list of items is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ItemsError {
    /// An order of nothing.
    #[error("must have at least one item")]
    None,
    /// More items than one order may have.
    #[error("must have at most {most} items, this has {has}", most = OrderItems::MAX)]
    TooMany {
        /// The items it has.
        has: usize,
    },
    /// A product that an earlier item names as well.
    #[error("names product {product_id} a second time; add the quantities up instead")]
    Repeated {
        /// The place of the later item, counted from 0.
        index: usize,
        /// The product both name.
        product_id: ProductId,
    },
}

impl OrderItems {
    /// The most items one order may have.
    pub const MAX: usize = 100;

    /// The items, in the order they were given.
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
