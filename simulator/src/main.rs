//! A PSA on the other side: a process of its own that speaks HTTP as the real one does.
//!
//! Holds: the command line and the start.
//! Promises: one line of JSON on standard output when it listens, nothing more there; it binds 127.0.0.1 only.
//! Leaves to others: what is answered (`connectwise`), what goes wrong on purpose (`fault`), its control (`control`).
#![forbid(unsafe_code)]

mod callbacks;
mod closing;
mod connectwise;
mod control;
mod fault;
mod http;
mod journal;
mod multipart;
mod record_switches;
mod server;
mod tenant;
mod tls;
mod world;

use callbacks::wire::Wire;
use clap::{Parser, Subcommand};
use serde_json::json;
use std::process::ExitCode;
use std::sync::Arc;
use world::{Shared, World};

#[derive(Parser)]
#[command(name = "psa-simulator", about = "A PSA that speaks real HTTP, for tests and demos", version)]
struct Arguments {
    #[command(subcommand)]
    provider: Provider,
}

#[derive(Subcommand)]
enum Provider {
    /// ConnectWise PSA.
    Connectwise(Options),
}

#[derive(clap::Args)]
struct Options {
    /// Port on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Speak HTTPS; the ready line names the file with the CA's certificate.
    #[arg(long)]
    tls: bool,
    /// The same seed makes the same data.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many tickets there are at first.
    #[arg(long, default_value_t = 60)]
    tickets: usize,
    /// How many service boards there are beyond the usual ones; the tickets are spread over all of them.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=1000))]
    boards: u64,
    /// End when standard input ends: the simulator does not outlive who started it.
    #[arg(long)]
    until_stdin_closes: bool,
    /// The simulator's time at its start, RFC 3339; now if left out.
    #[arg(long)]
    now: Option<jiff::Timestamp>,
    /// PEM file of the CA to trust when callbacks go to https; the system's roots if left out.
    #[arg(long)]
    callback_ca: Option<std::path::PathBuf>,
}

fn main() -> ExitCode {
    let Arguments { provider: Provider::Connectwise(options) } = Arguments::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("psa-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await?;
        let address = listener.local_addr()?;
        // The control door in plain HTTP, whatever the PSA speaks: tests need no TLS for it.
        let door = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let tls = if options.tls { Some(tls::Identity::new()?) } else { None };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{address}");
        let mut world = World::new(base.clone(), options.seed, (options.tickets, options.boards), options.now);
        let ready = json!({
            "ready": true,
            "provider": "connectwise",
            "url": base,
            "control": format!("http://{}", door.local_addr()?),
            "ca": tls.as_ref().map(|tls| tls.ca_file().to_owned()),
            "company": world.account.company,
            "public_key": world.account.public_key,
            "private_key": world.account.private_key,
            "client_id": world.account.client_id,
            "neighbours": world.neighbours_shown(),
        });
        println!("{ready}");
        let queue = world.callbacks.take_queue();
        let shared = Arc::new(Shared::new(world, Wire::new(options.callback_ca.clone())));
        if let Some(queue) = queue {
            tokio::spawn(callbacks::deliver::run(queue, shared.clone()));
        }
        let end = stdin_ends(options.until_stdin_closes);
        tokio::select! {
            served = server::serve(listener, tls.as_ref(), shared.clone()) => served,
            served = server::serve(door, None, shared.clone()) => served,
            () = end => Ok(()),
        }
    })
}

/// Ends when standard input does, if that is wanted.
async fn stdin_ends(wanted: bool) {
    let (send, ended) = tokio::sync::oneshot::channel::<()>();
    if !wanted {
        return std::future::pending().await;
    }
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(send);
    });
    let _ = ended.await;
}
