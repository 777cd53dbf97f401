//! Companies and contacts.

use crate::client::{BASE, Client};
use serde_json::json;

#[test]
fn companies_are_found_by_words_and_never_by_forward_only_paging() {
    let client = Client::new();
    assert_eq!(client.get("/company/companies?pageSize=1000").ids(), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let north =
        "/company/companies?conditions=(name%20contains%20%22north%22%20or%20identifier%20contains%20%22north%22)";
    assert_eq!(client.get(&format!("{north}&orderBy=id%20desc")).ids(), [3, 2]);
    assert_eq!(client.get(&format!("{north}&pageSize=1&page=2&orderBy=id%20asc")).ids(), [3]);
    assert_eq!(client.get("/company/companies?conditions=deletedFlag%3Dtrue").ids(), [9]);
    assert_eq!(client.get("/company/companies?childConditions=types%2Fname%3D%22Client%22").ids().len(), 9);
    assert_eq!(client.get("/company/companies/2").json()["identifier"], "Northwind");
    assert_eq!(client.get("/company/companies/99").error(), (404, "NotFound".to_owned()));
    let headers = format!("{}pagination-type: forward-only\r\n", client.headers);
    let forward = client.send("GET", &format!("{BASE}/company/companies"), &headers, "").unwrap();
    assert!(forward.status == 500 && forward.body.contains("valid Boolean"), "{}", forward.body);
    for query in
        ["conditions=types%2Fname%3D%27x%27", "childConditions=name%3D%27x%27", "childConditions=nothing%2Fid%3D1"]
    {
        let refused = client.get(&format!("/company/companies?{query}")).error();
        assert_eq!(refused, (400, "ApiFindCondition".to_owned()), "{query}");
    }
}

#[test]
fn contacts_are_found_by_their_addresses() {
    let client = Client::new();
    let by_mail = |mail: &str| {
        let email = "communicationItems%2FcommunicationType%3D%22Email%22";
        let value = mail.replace('@', "%40").replace('+', "%2B");
        client
            .get(&format!(
                "/company/contacts?childConditions=communicationItems%2Fvalue%3D%22{value}%22%20and%20{email}"
            ))
            .ids()
    };
    assert_eq!(by_mail("office@example.com"), [5, 6]);
    assert_eq!(by_mail("ada_okafor+psa@example.com"), [7]);
    assert_eq!(by_mail("joerg@example.com"), [8]);
    assert!(by_mail("nobody@example.com").is_empty());
    assert_eq!(client.get("/company/contacts?conditions=company%2Fid%3D7").ids(), [9, 10]);
    assert_eq!(client.get("/company/contacts?conditions=company%20%3D%20null").ids(), [13]);
    assert!(client.get("/company/contacts/13").json().get("company").is_none());
    let log = client.simulator.log().unwrap();
    assert!(log[0]["endpoint"] == "search_contacts" && log[5]["endpoint"] == json!("search_contacts"), "{log:?}");
}
