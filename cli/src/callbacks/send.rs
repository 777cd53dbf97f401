//! `psa callbacks send`: one callback in the form of ConnectWise.

use super::sign;
use serde_json::{Map, Value, json};
use std::error::Error;
use std::time::Duration;

/// As long as ConnectWise waits. Source: the vendor's page on callbacks.
const WAIT: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where to: the address as it would be registered, `…/token?recordId=`. Record and action are appended to it.
    url: String,
    /// The signing key.
    #[arg(long, env = "PSA_SIGNING_KEY", hide_env_values = true)]
    key: String,
    /// What a receiver is told of where the key is.
    #[arg(long)]
    key_url: String,
    /// The company that people sign in with.
    #[arg(long)]
    company: String,
    /// What has changed.
    #[arg(long, default_value = "ticket")]
    r#type: String,
    /// Its id.
    #[arg(long)]
    id: u64,
    /// added, updated or deleted.
    #[arg(long, default_value = "updated")]
    action: String,
    /// Who has changed it.
    #[arg(long, default_value = "jdoe")]
    member: String,
    /// The id of the message; a fresh one if left out.
    #[arg(long)]
    message_id: Option<String>,
    /// The record as JSON text; without it a short one, and none for deleted.
    #[arg(long)]
    entity: Option<String>,
    /// Send it with a signature that is not right.
    #[arg(long)]
    forge: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let body = body(options).to_string();
    let mut signature = sign::signature(&options.key, body.as_bytes());
    if options.forge {
        signature = sign::signature("another key", body.as_bytes());
    }
    let url = called(&options.url, options.id, &options.action);
    // The library asks for it to be chosen once per process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async {
        let client = reqwest::Client::builder().timeout(WAIT).redirect(reqwest::redirect::Policy::none()).build()?;
        let request = client.post(&url).header("content-type", "application/json").header(sign::HEADER, &signature);
        request.body(body.clone()).send().await
    });
    println!("POST {url}\n{}: {signature}\n\n{body}\n", sign::HEADER);
    let answer =
        answer.map_err(|error| format!("no answer: {}. ConnectWise would not try this again", deepest(&error)))?;
    let status = answer.status().as_u16();
    println!("answered {status}: {}", means(status));
    if (200..300).contains(&status) { Ok(()) } else { Err(format!("the receiver answered {status}").into()) }
}

/// What lies behind an error of the library, which says itself only that there was one.
fn deepest(error: &dyn Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// What ConnectWise makes of an answer. Source: the vendor's page on callbacks.
fn means(status: u16) -> &'static str {
    match status {
        200..=299 => "taken",
        404 | 409 | 419 | 429 => "ConnectWise would try again after 2 s, and 4 s after that",
        _ => "ConnectWise would not try again; after three days of this it switches the callback off",
    }
}

/// The record's id is appended as it is, then the action. Source: the vendor's page, the row "URL".
fn called(registered: &str, id: u64, action: &str) -> String {
    let mark = if registered.contains('?') { "" } else { "?" };
    format!("{registered}{mark}{id}&action={action}")
}

fn body(options: &Options) -> Value {
    let Options { id, action, member, company, .. } = options;
    let entity = match (&options.entity, action.as_str()) {
        (Some(entity), _) => Value::from(entity.as_str()),
        (None, "deleted") => Value::Null,
        (None, _) => json!({"id": id, "recordType": "ServiceTicket"}).to_string().into(),
    };
    let host = options.key_url.split("://").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
    let fresh = || {
        let mut bytes: [u8; 16] = rand::random();
        (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x40, bytes[8] & 0x3f | 0x80);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    };
    let members = [
        ("MessageId", json!(options.message_id.clone().unwrap_or_else(fresh))),
        ("FromUrl", json!(host)),
        ("CompanyId", json!(company)),
        ("MemberId", json!(member)),
        ("Action", json!(action)),
        ("Type", json!(options.r#type)),
        ("ID", json!(id)),
        ("Entity", entity),
        ("Metadata", json!({"key_url": options.key_url})),
        ("CallbackObjectRecId", json!(1)),
    ];
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_and_action_are_appended_as_the_vendor_does() {
        for (registered, called_as) in [
            ("https://x/e355", "https://x/e355?7601&action=updated"),
            ("https://x/e355?recordId=", "https://x/e355?recordId=7601&action=updated"),
            ("https://x?param1=5&param2=6", "https://x?param1=5&param2=67601&action=updated"),
        ] {
            assert_eq!(called(registered, 7601, "updated"), called_as);
        }
    }
}
