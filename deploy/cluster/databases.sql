-- The database `orders` is made by the server's own set-up; the schema registry keeps what it knows beside it.
CREATE DATABASE registry;
