//! `psa callbacks listen`: what comes in, shown as it comes.

use super::sign;
use crate::http::{self, Asked, Handler};
use psa_host::{CallOptions, Hooks, Host, HttpAnswer, HttpRequest};
use serde_json::{Value, json};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often is looked for what was judged.
const LOOK: Duration = Duration::from_millis(200);
/// Deliveries that are looked through in one go.
const PAGE: u32 = 200;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Port on 127.0.0.1; 0: a free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// A host's configuration: what comes in goes through its door, and its plugin proves it.
    #[arg(long, requires_all = ["tenant", "connection"])]
    config: Option<PathBuf>,
    /// With --config: whose callbacks are shown.
    #[arg(long)]
    tenant: Option<String>,
    /// With --config: of which connection.
    #[arg(long)]
    connection: Option<String>,
    /// Without --config: the signing key of ConnectWise, to check signatures by.
    #[arg(long, env = "PSA_SIGNING_KEY", hide_env_values = true)]
    key: Option<String>,
    /// End after so many requests.
    #[arg(long)]
    times: Option<usize>,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let host = match &options.config {
        Some(path) => {
            let config = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Some(Arc::new(Host::open(&config, Hooks::default())?))
        }
        None => None,
    };
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let handler = handler(host.clone(), options.key.clone(), told);
    runtime.block_on(async {
        let (listener, address) = http::listen(options.port).await?;
        println!("listening on http://{address}/ ; register an address that leads here and ends in ?recordId=");
        let shown = async {
            let mut left = options.times.unwrap_or(usize::MAX);
            while left > 0 && heard.recv().await.is_some() {
                left -= 1;
            }
        };
        let judged = judgements(host.as_deref(), options);
        tokio::select! {
            served = http::serve(listener, handler, shown) => served?,
            outcome = judged => outcome?,
        }
        Ok::<(), Box<dyn Error>>(())
    })?;
    if let Some(host) = host {
        host.close(1000)?;
    }
    Ok(())
}

fn handler(host: Option<Arc<Host>>, key: Option<String>, told: tokio::sync::mpsc::UnboundedSender<()>) -> Handler {
    Arc::new(move |asked| {
        let answer = match &host {
            Some(host) => through(host, &asked),
            None => HttpAnswer { status: 204, headers: Vec::new(), body: Vec::new() },
        };
        println!("{}", line(&asked, &answer));
        if host.is_none() {
            println!("    {}", alone(&asked, key.as_deref()));
        }
        let _ = told.send(());
        answer
    })
}

/// Through the door of a host.
fn through(host: &Host, asked: &Asked) -> HttpAnswer {
    let headers: Vec<(&str, &str)> = asked.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = HttpRequest { method: &asked.method, url: &asked.url, headers: &headers, body: &asked.body };
    // Closed: the PSA is to come again.
    host.callback(&request).unwrap_or(HttpAnswer { status: 429, headers: Vec::new(), body: Vec::new() })
}

/// One line per request. What people wrote stays out of it.
fn line(asked: &Asked, answer: &HttpAnswer) -> String {
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    let word = |name: &str| body[name].as_str().map_or_else(|| body[name].to_string(), str::to_owned);
    let query = asked.url.split_once('?').map_or("", |(_, query)| query);
    format!(
        "{} {} bytes, query \"{query}\": {} {} {} by {} of {}, message {} -> {}",
        asked.method,
        asked.body.len(),
        word("Type"),
        word("ID"),
        word("Action"),
        word("MemberId"),
        word("CompanyId"),
        word("MessageId"),
        answer.status
    )
}

/// What can be said of it without a connection.
fn alone(asked: &Asked, key: Option<&str>) -> String {
    let signature = asked.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(sign::HEADER));
    let Some((_, signature)) = signature else {
        return format!("not verified: the header {} is missing", sign::HEADER);
    };
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    match key {
        None => {
            let url = body["Metadata"]["key_url"].as_str().unwrap_or("(it names none)");
            format!("not verified: no --key was given. It says that its key is at {url}")
        }
        Some(key) if sign::is_right(key, &asked.body, signature) => "verified: the signature is right".to_owned(),
        Some(_) => "not verified: the signature is not that of this key over these very bytes".to_owned(),
    }
}

/// Shows what the host has judged, as it does.
async fn judgements(host: Option<&Host>, options: &Options) -> Result<(), Box<dyn Error>> {
    let (Some(host), Some(tenant), Some(connection)) = (host, &options.tenant, &options.connection) else {
        return std::future::pending().await;
    };
    let mut shown = i64::MIN;
    loop {
        let params = json!({"tenant": tenant, "connection": connection, "page": {"limit": PAGE}}).to_string();
        let answer = host.call("callbacks.deliveries", params.as_bytes(), CallOptions::default())?;
        let answer: Value = serde_json::from_str(&answer)?;
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        // The oldest first; behind one that waits nothing is shown yet, so that nothing is passed over.
        let first = shown == i64::MIN;
        for one in items.iter().rev() {
            let id = one["id"].as_i64().unwrap_or_default();
            if id <= shown {
                continue;
            }
            if one["state"] == "received" {
                break;
            }
            shown = id;
            if !first {
                println!("    {}", judged(one));
            }
        }
        shown = shown.max(0);
        tokio::time::sleep(LOOK).await;
    }
}

fn judged(one: &Value) -> String {
    let word = |name: &str| one[name].as_str().unwrap_or_default();
    let about = format!("{} {} {}", word("entity"), word("remote"), word("action"));
    match word("state") {
        "verified" => format!("#{} verified {} {}", one["id"], about.trim(), word("reason")),
        state => format!("#{} {state} ({}): {}", one["id"], word("reason"), word("detail")),
    }
}
