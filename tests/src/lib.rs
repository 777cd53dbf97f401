//! What the scenarios share.
//!
//! Holds: compiling C plugins, an opened host in a folder of its own, small HTTP servers, a product in another language.
//! Promises: nothing of a scenario outlives it; all waits are for states.
//! Leaves to others: what is to be true (`tests/`).

pub mod answering;
pub mod browse;
pub mod compile;
pub mod demo;
pub mod desk;
pub mod door;
pub mod embedded;
pub mod files;
pub mod filled;
pub mod forge;
pub mod inbound;
pub mod listen;
pub mod npm;
pub mod process;
pub mod psa;
pub mod python;
pub mod scene;
pub mod shared;
pub mod six_calls;
pub mod snippets;
pub mod storm;
pub mod time;
pub mod torture;
pub mod venv;
pub mod world;
