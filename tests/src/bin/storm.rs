//! `cargo xtask storm`: the long form.
#![forbid(unsafe_code)]

use clap::Parser;
use psa_tests::storm::Storm;

/// Loses, doubles and reorders callbacks, and looks whether everything is known afterwards.
#[derive(Parser)]
struct Options {
    /// Changes at the PSA.
    #[arg(long, default_value_t = 100_000)]
    changes: u64,
    /// Linked tickets.
    #[arg(long, default_value_t = 2_000)]
    links: u64,
    /// Tickets that change within one second at the end.
    #[arg(long, default_value_t = 2_000)]
    same_second: u64,
    /// The same seed makes the same changes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() {
    let Options { changes, links, same_second, seed } = Options::parse();
    let report = Storm { changes, links, same_second, seed }.run();
    println!("{report}");
    assert!(report.percent(report.extra()) < 2.0, "too much is read");
}
