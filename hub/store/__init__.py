"""The store: tables, the one writer, and a read module for each question; all of the SQL is here."""
