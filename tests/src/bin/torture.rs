//! `cargo xtask torture`: the long form.
#![forbid(unsafe_code)]

use clap::Parser;
use psa_tests::torture::{Faults, Torture, What};

/// Runs the torture in full.
#[derive(Parser)]
struct Options {
    /// How many notes.
    #[arg(long, default_value_t = 1000)]
    notes: usize,
    /// How many ticket creations.
    #[arg(long, default_value_t = 200)]
    tickets: usize,
    /// How many changes of status.
    #[arg(long, default_value_t = 500)]
    statuses: usize,
    /// How many times are written down.
    #[arg(long, default_value_t = 300)]
    times: usize,
    /// How many changes of other fields.
    #[arg(long, default_value_t = 500)]
    updates: usize,
    /// How often a process is killed in the run of the notes.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// The same seed makes the same choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() {
    let Options { notes, tickets, statuses, times, updates, kills, seed } = Options::parse();
    let faults =
        Faults { reset_after_commit: 5, late_commit: 5, error_after_commit: 2, rate_limited: 1, ..Faults::default() };
    let base = Torture {
        what: What::Notes,
        count: notes,
        tickets: 50,
        pairs: 100,
        kills,
        fail_points: true,
        faults: faults.clone(),
        seed,
    };
    show("notes", &base);
    let beyond = Faults { beyond_quiet: true, ..faults.clone() };
    show(
        "notes, done later than Q",
        &Torture { count: notes / 2, kills: 0, fail_points: false, faults: beyond, ..base.clone() },
    );
    show("tickets", &Torture { what: What::Tickets, count: tickets, kills: kills / 5, ..base.clone() });
    show("statuses", &Torture { what: What::Statuses, count: statuses, kills: kills / 2, ..base.clone() });
    show("times", &Torture { what: What::Times, count: times, kills: kills / 3, ..base.clone() });
    show("updates", &Torture { what: What::Updates, count: updates, kills: kills / 2, ..base });
}

fn show(name: &str, torture: &Torture) {
    let began = std::time::Instant::now();
    let report = torture.run();
    println!("{name}: {} in {:.0?}, right", torture.count, began.elapsed());
    println!("  ends {:?}", report.ends);
    println!("  {} deaths, faults {:?}", report.deaths, report.faults);
    println!("  {} second copies, {} reported", report.duplicates, report.reported);
}
