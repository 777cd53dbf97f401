//! What each page gathers, and what its forms do.
//!
//! Promises: a page talks to rooms, never to SQL or sockets; it gives a view that is complete, so that drawing it needs
//! nothing more.

pub(crate) mod about;
pub(crate) mod activity;
pub(crate) mod callbacks;
pub(crate) mod connect;
pub(crate) mod filling;
pub(crate) mod frame;
pub(crate) mod index;
mod linked;
pub(crate) mod mapping;
pub(crate) mod operation;
pub(crate) mod overview;
pub(crate) mod plugin;
pub(crate) mod problem;
pub(crate) mod remove;
pub(crate) mod settings;
pub(crate) mod standing;
pub(crate) mod step;
pub(crate) mod ticket;
pub(crate) mod tickets;
pub(crate) mod work;
