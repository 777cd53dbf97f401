//! A request as people may see it: whole, secrets by their names.

use super::request::{Chunk, Encoding, Header, Request};
use serde_json::{Value, json};

impl Request {
    /// Method, URL, headers and body; a secret is `{secret:its_key}`.
    pub fn shown(&self) -> Value {
        let headers: Vec<Value> = self.headers.iter().map(shown_header).collect();
        let body: String = self.body.iter().map(shown_chunk).collect();
        json!({"method": self.method, "url": self.url, "headers": headers, "body": body})
    }
}

fn shown_header(header: &Header) -> Value {
    let secret = header.secret.as_ref().map(|key| format!("{{secret:{key}}}"));
    let value = match (&secret, header.basic) {
        (Some(secret), true) => format!("Basic base64({}:{secret})", header.value),
        (Some(secret), false) => format!("{}{secret}", header.value),
        (None, _) => header.value.clone(),
    };
    json!({"name": header.name, "value": value})
}

fn shown_chunk(chunk: &Chunk) -> String {
    match chunk {
        Chunk::Bytes(bytes) | Chunk::Encoded(bytes, Encoding::Raw) => String::from_utf8_lossy(bytes).into_owned(),
        Chunk::Encoded(bytes, encoding) => format!("{{{encoding:?}:{}}}", String::from_utf8_lossy(bytes)),
        Chunk::Secret { key, .. } => format!("{{secret:{key}}}"),
        Chunk::Input(Encoding::Raw) => "{input}".to_owned(),
        Chunk::Input(encoding) => format!("{{{encoding:?}:input}}"),
    }
}
