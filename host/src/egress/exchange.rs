//! One request out, one answer back.
//!
//! Holds: [`exchange`], shared by reads and writes.
//! Promises: ends by the deadline, and by the connect limit while nothing left; stops reading at the body limit; the
//! answer is redacted before a plugin sees it; what goes to the call's output is held for one piece at a time.
//! Leaves to others: repeating, redirects (`read`), the code of a failure (`failure`).
//!
//! What goes to the output is not redacted: no plugin sees it, the product that gets it has entered the secrets itself,
//! and a file in which the same bytes stand by chance must come out as it is.

use super::answer::Answer;
use super::body::WitnessedBody;
use super::failure::Trouble;
use super::fill::Filled;
use super::redact::Redactor;
use super::request::Plan;
use super::witness::{SealOnDrop, Witness, WitnessState};
use super::{Ends, Inner, request};
use crate::streams::Lease;
use bytes::{Bytes, BytesMut};
use psa_host_api::Code;
use reqwest::{Client, Response};
use std::pin::pin;
use std::sync::Arc;
use url::Url;

/// What an exchange needs beside the plan.
pub(super) struct Exchange<'a> {
    pub(super) inner: &'a Inner,
    pub(super) client: &'a Client,
    pub(super) plan: &'a Plan,
    /// The plan's, or where a redirect led.
    pub(super) url: &'a Url,
    /// On `Clock::boot_ms`.
    pub(super) deadline: u64,
    pub(super) witness: &'a Arc<Witness>,
}

impl Exchange<'_> {
    /// Sends it once. The witness is sealed afterwards, also if this future is dropped.
    pub(super) async fn run(&self, filled: Filled, ends: &mut Ends) -> Result<Answer, Trouble> {
        let _seal = SealOnDrop(self.witness);
        let Filled { headers, body, redactor } = filled;
        let now = self.inner.clock.boot_ms();
        if now >= self.deadline {
            return Err(Trouble::late(false));
        }
        let whole = async {
            if let Some(input) = &ends.input {
                input.ready().await?;
            }
            let mut request = reqwest::Request::new(self.plan.method.clone(), self.url.clone());
            *request.headers_mut() = headers;
            let body = WitnessedBody::new(body, ends.input.take(), self.witness.clone());
            *request.body_mut() = Some(reqwest::Body::wrap(body));
            let response = self.head(request).await?;
            self.witness.answered(response.status().as_u16());
            self.answer(response, &redactor, ends.output.as_mut()).await
        };
        tokio::select! {
            biased;
            outcome = whole => outcome,
            () = self.inner.clock.sleep(self.deadline - now) => {
                Err(Trouble::late(self.witness.seal() != WitnessState::NotSent))
            }
        }
    }

    /// The head of the answer; given up when no connection stands in time.
    async fn head(&self, request: reqwest::Request) -> Result<Response, Trouble> {
        let mut sending = pin!(self.client.execute(request));
        let outcome = tokio::select! {
            biased;
            outcome = &mut sending => outcome,
            () = self.inner.clock.sleep(self.inner.config.connect_timeout_ms) => {
                if self.witness.seal() == WitnessState::NotSent {
                    return Err(Trouble::late(false));
                }
                sending.await
            }
        };
        outcome.map_err(|error| Trouble::from_library(&request::origin_of(self.url), &error))
    }

    async fn answer(
        &self,
        mut response: Response,
        redactor: &Redactor,
        output: Option<&mut Lease>,
    ) -> Result<Answer, Trouble> {
        let packed = response.headers().get("content-encoding").is_some_and(|coding| coding != "identity");
        if packed && self.plan.method != reqwest::Method::HEAD {
            // Echoed secrets could not be found in it.
            let what = "the answer is compressed although that was not asked for.";
            return Err(Trouble::new(Code::Unavailable, "bad_answer", what));
        }
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.as_str().to_owned(), redactor.text(value.as_bytes()))).collect();
        let status = response.status().as_u16();
        if let Some(output) = output.filter(|_| response.status().is_success()) {
            self.to_output(&mut response, output).await?;
            return Ok(Answer { status, headers, body: Bytes::new() });
        }
        let body = self.body(&mut response).await?;
        Ok(Answer { status, headers, body: redactor.body(body) })
    }

    /// Hands the body on as it arrives, no faster than the product takes it.
    async fn to_output(&self, response: &mut Response, output: &mut Lease) -> Result<(), Trouble> {
        output.announce(response.content_length().unwrap_or(0))?;
        let origin = request::origin_of(self.url);
        while let Some(piece) = response.chunk().await.map_err(|error| Trouble::from_library(&origin, &error))? {
            output.push(piece).await?;
        }
        Ok(output.complete().await?)
    }

    async fn body(&self, response: &mut Response) -> Result<Bytes, Trouble> {
        let max = self.inner.config.body_bytes_max;
        let announced = response.content_length().unwrap_or(0);
        let no_body = self.plan.method == reqwest::Method::HEAD;
        if announced > max && !no_body {
            return Err(too_large(max));
        }
        let mut body = BytesMut::new();
        let origin = request::origin_of(self.url);
        while let Some(piece) = response.chunk().await.map_err(|error| Trouble::from_library(&origin, &error))? {
            if (body.len() + piece.len()) as u64 > max {
                return Err(too_large(max));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body.freeze())
    }
}

fn too_large(max: u64) -> Trouble {
    let what = format!("the answer is longer than {max} bytes (egress.body_bytes_max). Ask for less at once.");
    Trouble::new(Code::TooLarge, "body_too_large", what)
}
