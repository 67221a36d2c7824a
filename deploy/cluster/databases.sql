-- The server's setup creates the database `orders`. This one is for the schema registry.
CREATE DATABASE registry;
