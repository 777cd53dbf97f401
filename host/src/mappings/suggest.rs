//! Which member may stand for which agent.
//!
//! Promises: a proposal is only ever one; what two agents or two members share proposes nobody.

use crate::store::{MappingWay, ProductValue};
use psa_host_api::model::{Member, MemberKind};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// A proposal: this member may stand for this agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Suggestion {
    /// The product's id.
    pub(crate) agent: String,
    /// The provider's id.
    pub(crate) member: String,
    /// What they share.
    pub(crate) by: MappingWay,
}

/// What an agent and a member can have in common.
struct Way {
    name: MappingWay,
    of_agent: fn(&ProductValue) -> Option<String>,
    of_member: fn(&Member) -> Vec<String>,
}

/// In this order: who was found in one way is not looked for in the next.
const WAYS: [Way; 3] = [
    Way { name: MappingWay::Email, of_agent: |agent| agent.email.clone(), of_member: |member| member.emails.clone() },
    Way {
        name: MappingWay::Identifier,
        of_agent: |agent| agent.email.as_ref().and_then(|email| email.split('@').next()).map(str::to_owned),
        of_member: |member| vec![member.identifier.clone()],
    },
    Way {
        name: MappingWay::Name,
        of_agent: |agent| Some(agent.name.clone()),
        of_member: |member| vec![member.name.clone()],
    },
];

/// Proposals for agents without a mapping, by agent. `settled`: agents of whom something is said, and their members.
pub(crate) fn proposals(
    agents: &[ProductValue],
    members: &[Member],
    settled: &[(&str, Option<&str>)],
) -> Vec<Suggestion> {
    let mut free: Vec<&Member> =
        members.iter().filter(|member| !member.inactive && member.member_kind == MemberKind::Person).collect();
    free.retain(|member| !settled.iter().any(|(_, taken)| *taken == Some(&member.id)));
    let mut open: Vec<&ProductValue> =
        agents.iter().filter(|agent| !settled.iter().any(|(known, _)| *known == agent.id)).collect();
    let mut proposals: Vec<Suggestion> = Vec::new();
    for way in &WAYS {
        let having = grouped(&free, |member| (way.of_member)(member));
        let wanting = grouped(&open, |agent| (way.of_agent)(agent).into_iter().collect());
        for (key, agents) in wanting {
            if let ([agent], Some([member])) = (&agents[..], having.get(&key).map(Vec::as_slice)) {
                let (agent, member) = (agent.id.clone(), member.id.clone());
                proposals.push(Suggestion { agent, member, by: way.name });
            }
        }
        free.retain(|member| !proposals.iter().any(|proposal| proposal.member == member.id));
        open.retain(|agent| !proposals.iter().any(|proposal| proposal.agent == agent.id));
    }
    proposals.sort_by(|a, b| a.agent.cmp(&b.agent));
    proposals
}

/// Who has which key, in lower case; empty keys are nobody's.
fn grouped<'a, T>(all: &[&'a T], keys: impl Fn(&T) -> Vec<String>) -> HashMap<String, Vec<&'a T>> {
    let mut groups: HashMap<String, Vec<&T>> = HashMap::new();
    for one in all {
        for key in keys(one) {
            let key = key.trim().to_lowercase();
            if !key.is_empty() {
                groups.entry(key).or_default().push(one);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str, name: &str, email: Option<&str>) -> ProductValue {
        ProductValue { id: id.into(), name: name.into(), email: email.map(str::to_owned) }
    }

    fn member(id: &str, identifier: &str, name: &str, emails: &[&str]) -> Member {
        let emails = emails.iter().map(|email| (*email).to_owned()).collect();
        Member { id: id.into(), identifier: identifier.into(), name: name.into(), emails, ..Member::default() }
    }

    #[test]
    fn email_comes_first_then_identifier_then_name_and_what_is_shared_proposes_nobody() {
        let members = [
            member("1", "mmiller", "Mia Miller", &["MIA.Miller@example.com"]),
            member("2", "jdoe", "John Doe", &["info@example.com"]),
            member("3", "jroe", "Jane Roe", &["info@example.com"]),
            member("4", "tsmith", "Tom Smith", &[]),
            Member { inactive: true, ..member("5", "gone", "Gone Girl", &["gone@example.com"]) },
            Member { member_kind: MemberKind::Api, ..member("6", "api", "Robot", &["robot@example.com"]) },
        ];
        let agents = [
            agent("a", "M. M.", Some("mia.miller@EXAMPLE.com")),
            agent("b", "Jane Roe", Some("info@example.com")),
            agent("c", "X", Some("tsmith@other.example")),
            agent("d", "Gone Girl", Some("gone@example.com")),
            agent("e", "Robot", Some("robot@example.com")),
        ];
        let found: Vec<_> = proposals(&agents, &members, &[])
            .into_iter()
            .map(|found| (found.agent, found.member, found.by.word()))
            .collect();
        let expected = [("a", "1", "email"), ("b", "3", "name"), ("c", "4", "identifier")];
        assert_eq!(found, expected.map(|(agent, member, by)| (agent.to_owned(), member.to_owned(), by)));
    }
}
