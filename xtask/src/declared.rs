//! What a header declares, read from its text.
//!
//! Holds: structs, functions, numbers and names of types, each declaration on one line and without its comments.
//! Promises: reads the headers this crate generates; it is no parser of C.
//! Leaves to others: what follows from a declaration (`layout`, `golden`, `symbols`).

/// What stands before a function that crosses.
const EXPORTED: [&str; 2] = ["PSA_API", "PSA_EXPORT"];

/// A name, and what is declared of it.
pub type Named<T> = (String, T);

/// The structs whose members are declared, each with its members.
pub fn structs(header: &str) -> Vec<Named<Vec<String>>> {
    let mut found = Vec::new();
    for part in code(header).split("typedef struct ").skip(1) {
        let Some((name, rest)) = part.split_once(" {") else { continue };
        let Some((body, _)) = rest.split_once('}') else { continue };
        if name.contains(';') {
            continue; // an opaque type, declared only
        }
        let members = body.split(';').map(one_line).filter(|member| !member.is_empty()).collect();
        found.push((name.to_string(), members));
    }
    found
}

/// The functions that cross, each with its declaration.
pub fn functions(header: &str) -> Vec<Named<String>> {
    let code = code(header);
    let statements = code.split([';', '{']).map(one_line);
    let exported = statements.filter_map(|statement| {
        let declaration = EXPORTED.iter().find_map(|word| statement.strip_prefix(word))?.trim_start().to_string();
        let name = declaration.split_once('(')?.0.rsplit([' ', '*']).next()?.to_string();
        Some((name, declaration))
    });
    exported.collect()
}

/// The constants that are numbers.
pub fn constants(header: &str) -> Vec<Named<String>> {
    let constant = |line: &str| {
        let mut words = line.strip_prefix("#define ")?.split_whitespace();
        let (name, value) = (words.next()?, words.next()?);
        value.parse::<i64>().is_ok().then(|| (name.to_string(), value.to_string()))
    };
    header.lines().filter_map(constant).collect()
}

/// The other names of types: numbers and pointers to functions.
pub fn types(header: &str) -> Vec<Named<String>> {
    let code = code(header);
    let statements = code.split([';', '}']).map(one_line);
    let others = statements.filter(|one| one.starts_with("typedef ") && !one.starts_with("typedef struct "));
    others.filter_map(|declaration| Some((name_of(&declaration)?, declaration))).collect()
}

/// The name that a declaration gives, of a member or of a type.
pub fn name_of(declaration: &str) -> Option<String> {
    let named = match declaration.split_once("(*") {
        Some((_, pointer)) => pointer.split(')').next()?,
        None => declaration.rsplit([' ', '*']).next()?,
    };
    (!named.is_empty()).then(|| named.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text without comments and without lines for the preprocessor.
fn code(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        out.push_str(part.split_once("*/").map_or("", |(_, rest)| rest));
    }
    let lines = out.lines().filter(|line| !line.starts_with('#'));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "/* x; */ typedef struct a a;
#define PSA_API __attribute__((visibility(\"default\")))
#define PSA_ONE 1 /* one */
typedef int32_t psa_code;
typedef const b *(*entry_fn)(uint32_t abi);
typedef struct b {
  int x; /* a {note} */

  void (*f)(int i,
    int j);
} b;
extern \"C\" {
PSA_API
const char *psa_x(const a *one,
                  int (*f)(void *ctx));
/* Not PSA_API, */ PSA_API void psa_y(void);
";

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect()
    }

    #[test]
    fn declarations_are_read_from_a_header() {
        let members = vec!["int x".to_string(), "void (*f)(int i, int j)".to_string()];
        assert_eq!(structs(HEADER), [("b".to_string(), members)]);
        assert_eq!(constants(HEADER), pairs(&[("PSA_ONE", "1")]));
        let functions_there =
            [("psa_x", "const char *psa_x(const a *one, int (*f)(void *ctx))"), ("psa_y", "void psa_y(void)")];
        assert_eq!(functions(HEADER), pairs(&functions_there));
        let types_there =
            [("psa_code", "typedef int32_t psa_code"), ("entry_fn", "typedef const b *(*entry_fn)(uint32_t abi)")];
        assert_eq!(types(HEADER), pairs(&types_there));
    }
}
