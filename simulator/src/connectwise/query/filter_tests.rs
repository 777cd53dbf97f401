//! Tables of conditions and what they let through.

use serde_json::{Value, json};

use super::*;

fn ticket() -> Value {
    json!({
        "id": 1001, "summary": "Printer on Fire [3rd floor]", "board": {"id": 1, "name": "Help Desk"},
        "status": {"id": 17, "name": "New"}, "closedFlag": false, "owner": null, "actualHours": 1.5, "priority": {"id": 4},
        "requiredDate": "2017-03-03T12:00:00Z", "externalXRef": "", "contactName": "O'Neil",
        "_info": {"lastUpdated": "2024-05-01T10:00:00Z", "dateEntered": "2024-04-30T08:00:00Z"}
    })
}

fn passes(condition: &str) -> Result<bool, ConditionError> {
    Filter::parse(condition).map(|filter| filter.matches(&ticket()))
}

fn check_rows(rows: &[(&str, bool)]) {
    for (condition, expected) in rows {
        assert_eq!(passes(condition), Ok(*expected), "{condition}");
    }
}

#[test]
fn comparisons_pass_what_they_should() {
    check_rows(&[
        ("", true),
        ("   ", true),
        ("id=1001", true),
        ("id = 1001.0", true),
        ("id != 1001", false),
        ("id < 1001", false),
        ("id <= 1001", true),
        ("id > -5", true),
        ("id >= 1002", false),
        ("actualHours > 1.25 and actualHours < 1.75", true),
        ("status/name = \"new\"", true),
        ("STATUS/NAME = 'NEW'", true),
        ("status/name != 'Closed'", true),
        ("contactName = \"O'Neil\"", true),
        ("closedFlag = False", true),
        ("closedFlag != TRUE", true),
        ("summary > 'Order'", true),
        ("externalXRef = ''", true),
        ("id = '1001'", false), // without a table of names, other types are only unequal
        ("id != '1001'", true),
    ]);
}

#[test]
fn texts_and_sets_pass_what_they_should() {
    check_rows(&[
        ("summary contains \"fire\"", true),
        ("summary not contains 'fire'", false),
        ("summary NOT CONTAINS 'water'", true),
        ("summary like 'printer*'", true),
        ("summary like 'printer'", false),
        ("summary like '%FIRE%'", true),
        ("summary not like '*floor]'", false),
        ("summary contains '[[]3rd'", true),
        ("id in (1, 1001)", true),
        ("id in(1)", false),
        ("board/id not in (2,3)", true),
        ("status/name in (\"Open\", 'new')", true),
        ("owner/id in (1, null)", true),
    ]);
}

#[test]
fn dates_and_nulls_pass_what_they_should() {
    check_rows(&[
        ("requiredDate = [2017-03-03T12:00:00Z]", true),
        ("requiredDate > [2017-03-03]", true),
        ("requiredDate < [2017-03-03T13:30:00+01:00]", true),
        ("lastUpdated > [2024-05-01T09:59:59Z]", true),
        ("lastUpdated > [2024-05-01T10:00:00Z]", false),
        ("dateEntered >= [2024-04-30]", true),
        ("summary > [2024-04-30]", false),
        ("owner = null", true),
        ("owner != null", false),
        ("owner not = null", false),
        ("owner/identifier = NULL", true),
        ("status = null", false),
        ("status != null", true),
        ("owner/id != 5", false), // a null passes no test but that for null
        ("owner/id not in (5)", false),
        ("owner/name not contains 'x'", false),
        ("owner/id < 5", false),
    ]);
}

#[test]
fn and_binds_tighter_than_or() {
    check_rows(&[
        ("id=1 and id=2 or id=1001", true),
        ("id=1001 or id=1 and id=2", true),
        ("(id=1001 or id=1) and id=2", false),
        ("id=1 OR (id=1001 AND (closedFlag=false))", true),
        ("((id=1001))", true),
        ("id=1001 AND\n\tclosedFlag=false", true),
    ]);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_code() {
    for condition in [
        "id",
        "id =",
        "= 1",
        "id 1",
        "id == 1",
        "id <> 1",
        "id = 1 and",
        "and id = 1",
        "id = 1 id = 2",
        "(id = 1",
        "id = 1)",
        "()",
        "not id = 1",
        "not (id = 1)",
        "id in ()",
        "id in 1",
        "id in (1,)",
        "id in (1",
        "id in (1 2)",
        "id not 1",
        "summary contains 5",
        "summary like null",
        "summary like",
        "summary = new",
        "closedFlag",
        "summary = \"open",
        "id = [2024",
        "id = 1; drop",
        "id = 1 && id = 2",
        "id ! = 1",
        "a//b = 1",
        "/id = 1",
        "1 = id",
        "null = owner",
        "summary = “x”",
        "id = 1 or or id = 2",
    ] {
        let error = passes(condition).expect_err(condition);
        assert_eq!(error.code, "ApiFindCondition", "{condition}");
    }
}

#[test]
fn a_text_without_quotes_is_told_how_to_write_it() {
    let error = passes("summary = new").unwrap_err();
    assert!(
        error.message.contains("String values should be enclosed with double or single quotes"),
        "{}",
        error.message
    );
}

#[test]
fn a_refusal_does_not_repeat_texts() {
    let error = passes("summary 'a customer name'").unwrap_err();
    assert!(!error.message.contains("customer"), "{}", error.message);
}

#[test]
fn parentheses_nest_up_to_a_limit() {
    let nested = |depth: usize| format!("{}id=1001{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(passes(&nested(DEPTH_MAX)), Ok(true));
    assert!(passes(&nested(DEPTH_MAX + 1)).is_err());
    assert!(passes(&"(".repeat(60_000)).is_err());
}

#[test]
fn long_conditions_are_read_up_to_a_limit() {
    let of = |terms: usize| vec!["id=1"; terms].join(" or ");
    assert_eq!(passes(&of(5_000)), Ok(false));
    assert!(passes(&of(50_000)).is_err());
}

/// Cheap pseudo-random walks through the grammar's own pieces, and through raw characters.
#[test]
fn no_input_makes_it_panic() {
    const PIECES: [&str; 32] = [
        "id",
        "board/name",
        "=",
        "!=",
        "<",
        ">=",
        "contains",
        "like",
        "in",
        "not",
        "and",
        "or",
        "(",
        ")",
        ",",
        "\"",
        "'",
        "[",
        "]",
        "2024-01-01",
        "5",
        "-",
        ".",
        "null",
        "true",
        " ",
        "é",
        "\u{0}",
        "*",
        "%",
        "🙂",
        "\\",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut refused = 0;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..(state % 24) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(PIECES[(state >> 40) as usize % PIECES.len()]);
        }
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for parsed in [Filter::parse(&text), Filter::parse_child(&text), Filter::parse_custom_field(&text)] {
            match parsed {
                Ok(filter) => _ = (filter.matches(&ticket()), filter.check(Names::tickets())),
                Err(_) => refused += 1,
            }
        }
        _ = super::super::Order::parse(&text).map(|order| order.sort(&mut vec![ticket(), Value::Null]));
        _ = super::super::project(&ticket(), &text);
        _ = super::super::check_fields(&text, Names::tickets());
    }
    assert!(refused > 10_000, "the walks are meant to be mostly broken: {refused}");
}
