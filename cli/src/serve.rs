//! `psa serve`: the Integrations page on this machine, for a product that wants no embedding, or to try it.
//!
//! Promises: bound to 127.0.0.1, and answers only to that name, so that no other site's page can reach it by a name of its
//! own; whoever can reach it may do everything.

use crate::http::{self, Asked, Handler};
use psa_host::{Hooks, Host, HttpAnswer, HttpRequest};
use serde_json::json;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where callbacks come in; everything else is the page.
pub(crate) const CALLBACKS: &str = "/callbacks-of-psa/";

#[derive(clap::Args)]
pub(crate) struct Options {
    /// The host's configuration, JSON.
    #[arg(long)]
    config: PathBuf,
    /// Port on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 8070)]
    port: u16,
    /// Whose connections are shown.
    #[arg(long, default_value = "local")]
    tenant: String,
    #[command(flatten)]
    looks: Looks,
}

/// How the page looks.
#[derive(clap::Args, Clone)]
pub(crate) struct Looks {
    /// Language of the page.
    #[arg(long, default_value = "en")]
    pub(crate) locale: String,
    /// Time zone of the page.
    #[arg(long, default_value = "UTC")]
    pub(crate) time_zone: String,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let config = std::fs::read(&options.config).map_err(|error| format!("{}: {error}", options.config.display()))?;
    let host = Arc::new(Host::open(&config, Hooks::default())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (listener, address) = http::listen(options.port).await?;
        println!("the Integrations page is at http://{address}/ ; Ctrl-C ends it");
        let handler = handler(host.clone(), address, &options.tenant, &options.looks);
        let interrupted = async {
            let _ = tokio::signal::ctrl_c().await;
        };
        http::serve(listener, handler, interrupted).await
    })?;
    host.close(1_000)?;
    Ok(())
}

/// Answers with the page, and with the door for callbacks below its own path.
pub(crate) fn handler(host: Arc<Host>, address: SocketAddr, tenant: &str, looks: &Looks) -> Handler {
    let who = json!({
        "tenant": tenant,
        "actor": {"id": "local", "name": "You"},
        "permissions": ["view", "configure", "secrets", "map", "operate", "delete", "audit"],
        "public_origin": format!("http://{address}"),
        "locale": looks.locale,
        "time_zone": looks.time_zone,
    })
    .to_string();
    Arc::new(move |asked| answer(&host, &who, address, &asked))
}

fn answer(host: &Host, who: &str, address: SocketAddr, asked: &Asked) -> HttpAnswer {
    let headers: Vec<(&str, &str)> = asked.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = HttpRequest { method: &asked.method, url: &asked.url, headers: &headers, body: &asked.body };
    if asked.url.starts_with(CALLBACKS) {
        return host.callback(&request).unwrap_or_else(|_| text(429, "closed"));
    }
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| *value);
    if named != Some(address.to_string().as_str()) && named != Some(&format!("localhost:{}", address.port())) {
        return text(421, "this page answers to 127.0.0.1 only");
    }
    host.page(who.as_bytes(), &request).unwrap_or_else(|error| text(500, &error.to_string()))
}

fn text(status: u16, text: &str) -> HttpAnswer {
    let headers = vec![("content-type".to_owned(), "text/plain; charset=utf-8".to_owned())];
    HttpAnswer { status, headers, body: text.as_bytes().to_vec() }
}
