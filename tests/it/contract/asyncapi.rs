//! The AsyncAPI document names what the code names. Whether it is one is for `tests/contract/asyncapi`.

use revoker::{
    broker::topology::Names,
    event::{Lane, decode::EventType},
    settle::outcome::Outcome,
};

use super::{
    schemas::{NAMES, file},
    *,
};

#[test]
fn the_document_names_what_the_code_names() {
    let document = text_of("asyncapi.yaml");
    let names = Names::new("revocation");
    let exchanges = Lane::ALL.iter().map(|lane| names.lane(*lane));
    for exchange in exchanges.chain([names.outcomes()]) {
        assert!(
            document.contains(&format!("          name: {exchange}\n")),
            "{exchange}"
        );
    }
    let words = |words: Vec<&str>| format!("        enum: [{}]\n", words.join(", "));
    let lanes = words(Lane::ALL.iter().map(|lane| lane.as_str()).collect());
    let outcomes = words(Outcome::ALL.iter().map(|end| end.as_str()).collect());
    for line in [lanes, outcomes] {
        assert!(document.contains(&line), "{line}");
    }
    for name in NAMES {
        let payload = format!("        $ref: {}\n", file(name));
        assert!(document.contains(&payload), "{payload}");
    }
    for kind in EventType::ALL {
        let message = format!("      name: {}\n", kind.as_str());
        assert!(document.contains(&message), "{message}");
    }
}

/// The page names every file, and the codes that only CloudEvents have.
#[test]
fn the_page_names_what_is_there() {
    let page = text_of("README.md");
    let files = [
        "asyncapi.yaml",
        "corpus/accepted.ndjson",
        "corpus/rejected.ndjson",
    ];
    let schemas = NAMES.map(file);
    for name in files.into_iter().chain(schemas.iter().map(String::as_str)) {
        assert!(page.contains(&format!("]({name})")), "{name}");
    }
    for prefix in revoker::event::cloud::HEADER_PREFIXES {
        assert!(page.contains(&format!("`{prefix}id`")), "{prefix}");
    }
    let codes = revoker::event::Code::ALL.iter().map(|code| code.as_str());
    for code in codes.filter(|code| code.starts_with("cloudevent_")) {
        assert!(page.contains(&format!("`{code}`")), "{code}");
    }
}
