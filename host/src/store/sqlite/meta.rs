//! Statements about the database as a whole.

use super::statements::statements;

statements! {
    /// Asked by every unit of work.
    MIN_WRITER = "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'min_writer'";
    GET = "SELECT value FROM meta WHERE name = ?1";
    SET = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
    ADD = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
    DATA_VERSION = "PRAGMA data_version";
}
