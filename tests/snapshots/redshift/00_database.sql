-- Run alone, connected to another database.

CREATE DATABASE "shop";
