//! `conditions`: the grammar, and the filter it becomes.
//!
//! Holds: [`Filter`] and the parser behind its three doors.
//! Promises: `and` binds tighter than `or`; keywords in any case; an empty condition lets everything through.
//! Leaves to others: what a comparison means for a value (`evaluate`), names and types of a resource (`names`), the two relatives of
//! `conditions` (`child`).

use serde_json::Value;

use super::lex::{Compare, Literal, Token, tokens};
use super::like::Pattern;
use super::path::Path;
use super::{ConditionError, DEPTH_MAX, Names, child, excerpt};

/// Which parameter a filter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Conditions,
    Child,
    CustomField,
}

/// A parsed condition, ready to be asked about any number of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    door: Door,
    /// None: everything passes.
    expression: Option<Expression>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Test(Test),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    pub(super) path: Path,
    pub(super) negated: bool,
    pub(super) operation: Operation,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operation {
    Compare(Compare, Literal),
    /// The text as written, kept for the check of enums.
    Fits(Pattern, String),
    In(Vec<Literal>),
}

impl Filter {
    /// Reads `conditions`. An empty text is accepted. Source: facts 3.3 `(unsure)`.
    pub fn parse(text: &str) -> Result<Filter, ConditionError> {
        parse(Door::Conditions, text)
    }

    /// Reads `childConditions`: tests on arrays inside the record, without `in`. Source: facts 3.4.
    pub fn parse_child(text: &str) -> Result<Filter, ConditionError> {
        parse(Door::Child, text)
    }

    /// Reads `customFieldConditions`: tests on `caption` and `value`, without `in`. Source: facts 3.4.
    pub fn parse_custom_field(text: &str) -> Result<Filter, ConditionError> {
        parse(Door::CustomField, text)
    }

    /// Checks each name, literal and enum value against what the resource has, in the order of the text.
    ///
    /// A server does this together with parsing; it is apart here so that a filter can be used without a table.
    pub fn check(&self, names: &Names) -> Result<(), ConditionError> {
        match (&self.expression, self.door) {
            (Some(expression), Door::Conditions) => check(expression, &|test| names.check(test)),
            (Some(expression), Door::Child) => check(expression, &|test| child::check(test, names)),
            (Some(expression), Door::CustomField) => check(expression, &child::check_custom_field),
            (None, _) => Ok(()),
        }
    }

    /// True if any comparison is about this member of the record, or about something below it.
    pub fn uses(&self, name: &str) -> bool {
        self.expression.as_ref().is_some_and(|expression| uses(expression, name))
    }

    /// True if the record passes.
    pub fn matches(&self, record: &Value) -> bool {
        match (&self.expression, self.door) {
            (None, _) => true,
            (Some(expression), Door::CustomField) => child::any_custom_field(record, expression),
            (Some(expression), _) => expression.holds(record),
        }
    }
}

fn check(expression: &Expression, test: &dyn Fn(&Test) -> Result<(), ConditionError>) -> Result<(), ConditionError> {
    match expression {
        Expression::All(terms) | Expression::Any(terms) => terms.iter().try_for_each(|term| check(term, test)),
        Expression::Test(one) => test(one),
    }
}

fn uses(expression: &Expression, name: &str) -> bool {
    match expression {
        Expression::All(terms) | Expression::Any(terms) => terms.iter().any(|term| uses(term, name)),
        Expression::Test(test) => test.path.parts().first().is_some_and(|first| first.eq_ignore_ascii_case(name)),
    }
}

fn parse(door: Door, text: &str) -> Result<Filter, ConditionError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Filter { door, expression: None });
    }
    let mut parser = Parser { door, tokens: tokens.into_iter().peekable(), depth: 0 };
    let expression = parser.any()?;
    match parser.tokens.next() {
        None => Ok(Filter { door, expression: Some(expression) }),
        Some(token) => Err(ConditionError::syntax(format_args!("{} is not expected there", said(&token)))),
    }
}

struct Parser {
    door: Door,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Parser {
    fn any(&mut self) -> Result<Expression, ConditionError> {
        let mut terms = vec![self.all()?];
        while self.take(&Token::Or) {
            terms.push(self.all()?);
        }
        Ok(joined(terms, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, ConditionError> {
        let mut terms = vec![self.term()?];
        while self.take(&Token::And) {
            terms.push(self.term()?);
        }
        Ok(joined(terms, Expression::All))
    }

    fn term(&mut self) -> Result<Expression, ConditionError> {
        if !self.take(&Token::Open) {
            return self.test().map(Expression::Test);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ConditionError::syntax(format_args!("more than {DEPTH_MAX} parentheses inside each other")));
        }
        let inner = self.any()?;
        self.expect(&Token::Close)?;
        self.depth -= 1;
        Ok(inner)
    }

    fn test(&mut self) -> Result<Test, ConditionError> {
        let path = match self.tokens.next() {
            Some(Token::Name(name)) => Path::parse(&name)?,
            other => return Err(unexpected("a name", other)),
        };
        let negated = self.take(&Token::Not); // stands before the operator. Source: facts 3.3
        let operation = self.operation()?;
        Ok(Test { path, negated, operation })
    }

    fn operation(&mut self) -> Result<Operation, ConditionError> {
        match self.tokens.next() {
            Some(Token::Compare(compare)) => Ok(Operation::Compare(compare, self.literal()?)),
            Some(Token::Like) => self.text().map(|text| Operation::Fits(Pattern::like(&text), text)),
            Some(Token::Contains) => self.text().map(|text| Operation::Fits(Pattern::contains(&text), text)),
            Some(Token::In) if self.door == Door::Conditions => self.list().map(Operation::In),
            Some(Token::In) => Err(ConditionError::syntax("the operator in is only for conditions")),
            other => Err(unexpected("an operator", other)),
        }
    }

    fn list(&mut self) -> Result<Vec<Literal>, ConditionError> {
        self.expect(&Token::Open)?;
        let mut literals = vec![self.literal()?];
        while self.take(&Token::Comma) {
            literals.push(self.literal()?);
        }
        self.expect(&Token::Close)?;
        Ok(literals)
    }

    fn literal(&mut self) -> Result<Literal, ConditionError> {
        match self.tokens.next() {
            Some(Token::Literal(literal)) => Ok(literal),
            // What was wanted depends on the field, which is not known yet; most often it is a text without quotes.
            Some(Token::Name(_)) => Err(ConditionError::bad_literal("literal", "name")),
            other => Err(unexpected("a value", other)),
        }
    }

    fn text(&mut self) -> Result<String, ConditionError> {
        match self.literal()? {
            Literal::Text(text) => Ok(text),
            other => Err(ConditionError::bad_literal("string", other.word())),
        }
    }

    fn take(&mut self, token: &Token) -> bool {
        self.tokens.next_if_eq(token).is_some()
    }

    fn expect(&mut self, token: &Token) -> Result<(), ConditionError> {
        match self.tokens.next() {
            Some(found) if found == *token => Ok(()),
            other => Err(unexpected(&said(token), other)),
        }
    }
}

fn joined(mut terms: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    if terms.len() == 1 { terms.swap_remove(0) } else { join(terms) }
}

fn unexpected(wanted: &str, found: Option<Token>) -> ConditionError {
    let found = found.as_ref().map_or_else(|| "the end".to_owned(), said);
    ConditionError::syntax(format_args!("{wanted} is expected, not {found}"))
}

/// How a token is named in a message; the content of a text is not repeated, it may be a customer's.
fn said(token: &Token) -> String {
    match token {
        Token::Name(name) => excerpt(name),
        Token::Literal(literal) => format!("a {}", literal.word()),
        Token::Compare(_) => "a comparison".to_owned(),
        Token::Open => "(".to_owned(),
        Token::Close => ")".to_owned(),
        Token::Comma => ",".to_owned(),
        word => format!("{word:?}").to_lowercase(),
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
