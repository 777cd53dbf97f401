//! Members.

use crate::client::{Client, Query};
use crate::conditions;
use crate::map::Record;
use crate::paging;
use psa_host_api::model::{Member, MemberKind, Page};
use psa_host_api::ops::ListMembersRequest;
use psa_host_api::sdk::Cx;
use psa_host_api::{Code, Error};

pub(crate) async fn list(client: &Client, cx: &Cx, request: ListMembersRequest) -> Result<Page<Member>, Error> {
    search(client, cx, None, request).await
}

/// Those whose names hold these words; none given: all.
pub(crate) async fn search(
    client: &Client,
    cx: &Cx,
    words: Option<&str>,
    request: ListMembersRequest,
) -> Result<Page<Member>, Error> {
    let conditions = conditions::of_members(words)?;
    let query = || -> Query {
        let said = Some(conditions.clone()).filter(|conditions| !conditions.is_empty());
        said.into_iter().map(|conditions| ("conditions", conditions)).collect()
    };
    let read = |record: Record<'_>| Ok(member_from(record));
    match paging::list(client, cx, "system/members", query(), &request.page, read).await {
        // A narrow role may still see the short form. Source: facts 2.3.
        Err(error) if error.code == Code::Forbidden => {
            paging::list(client, cx, "system/info/members", query(), &request.page, read).await
        }
        outcome => outcome,
    }
}

/// A member of theirs in our words. Source: facts 9.
fn member_from(mut record: Record<'_>) -> Member {
    let (first, last) = (record.text("firstName").unwrap_or_default(), record.text("lastName").unwrap_or_default());
    let identifier = record.text("identifier").unwrap_or_default();
    let name = format!("{first} {last}").trim().to_owned();
    let preferred = ["primaryEmail", "officeEmail", "mobileEmail", "homeEmail"];
    let mut emails: Vec<String> = Vec::new();
    for email in preferred.iter().filter_map(|name| record.text(name)) {
        if !email.is_empty() && !emails.iter().any(|there| there.eq_ignore_ascii_case(&email)) {
            emails.push(email);
        }
    }
    // "A" is the license of API members.
    let api = record.text("licenseClass").as_deref() == Some("A");
    Member {
        id: record.id("id").unwrap_or_default(),
        name: if name.is_empty() { identifier.clone() } else { name },
        identifier,
        emails,
        inactive: record.flag("inactiveFlag").unwrap_or(false),
        member_kind: if api { MemberKind::Api } else { MemberKind::Person },
        raw: record.rest(),
    }
}
