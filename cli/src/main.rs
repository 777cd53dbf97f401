//! The `psa` command.
//!
//! Holds: the arguments; each command has its own file.
//! Promises: results on standard output, everything else on standard error; the exit code tells.
//! Leaves to others: the host.
// Not forbidden: the macro that exports the plugin of the bench expands to some.
#![deny(unsafe_code)]

mod bench;
mod call;
mod callbacks;
mod demo;
mod doctor;
mod http;
mod reference;
mod serve;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "psa", version, about = "Tries out psa-bridge")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the whole job against a simulated ConnectWise: connect, read a ticket, post a note, change a status.
    Demo(demo::Options),
    /// Calls one method of a host opened for it.
    Call(call::Options),
    /// Serves the Integrations page on this machine.
    Serve(serve::Options),
    /// Listens for callbacks, or sends one, without any site of somebody else's.
    Callbacks(callbacks::Options),
    /// Checks the database of a data folder.
    Doctor(doctor::Options),
    /// Writes the schemas or the reference of all methods.
    Reference(reference::Options),
    /// Measures, as ratios within one run.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Call(options) => call::run(&options),
        Command::Serve(options) => serve::run(&options),
        Command::Callbacks(options) => callbacks::run(&options),
        Command::Doctor(options) => doctor::run(&options),
        Command::Reference(options) => reference::run(&options),
        Command::Bench(options) => bench::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("psa: {error}");
            ExitCode::FAILURE
        }
    }
}
