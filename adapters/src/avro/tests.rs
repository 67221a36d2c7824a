mod compatibility;
mod golden;
mod reading;
mod release;
