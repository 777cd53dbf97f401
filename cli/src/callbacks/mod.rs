//! `psa callbacks`: trying callbacks without any site of somebody else's.

mod listen;
mod send;
pub(crate) mod sign;

use std::error::Error;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Listens on this machine and shows what comes in: verified, or why not.
    Listen(listen::Options),
    /// Sends one callback as ConnectWise would, rightly signed, to any address.
    Send(send::Options),
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    match &options.command {
        Command::Listen(options) => listen::run(options),
        Command::Send(options) => send::run(options),
    }
}
