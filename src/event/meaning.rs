//! What each reason to refuse an event says, for people: `revoker explain` prints it.
//!
//! Fixed text: what is wrong with one event stands in its own [`Rejection`](super::Rejection).

use super::Code;

impl Code {
    /// What is wrong with such an event.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::EmptyBody => "the body is empty",
            Self::MalformedJson => "the body is not JSON",
            Self::NotUtf8 => "the body is not UTF-8",
            Self::UnsupportedEncoding => {
                "content_encoding is set to something other than identity: publish the body uncompressed"
            }
            Self::UnsupportedContentType => "content_type is set to something other than JSON",
            Self::TooLarge => "the body is longer than 16 KiB",
            Self::NotAnObject => "the body is JSON, but no object",
            Self::TargetMissing => {
                "it names nobody to log out: none of session_id, session_token, session_jwt and user_id"
            }
            Self::TargetAmbiguous => {
                "it names more than one of session_id, session_token, session_jwt and user_id"
            }
            Self::UnknownField => "it has a field that events do not have, perhaps a misspelt one",
            Self::WrongType => "a field has the wrong JSON type; null is one, too",
            Self::BadFormat => "a field's value breaks the rule for that field",
            Self::WrongEnvironment => {
                "a live id came to a worker of a test project, or the reverse"
            }
            Self::DuplicateField => "a field is named twice",
            Self::TooDeep => "ext is nested too deep",
            Self::UnsupportedType => "type is no type of event that this version knows",
            Self::FieldMissing => "a required field is missing",
            Self::BadTime => "a time is not RFC 3339 with a zone",
            Self::TimeInFuture => "a time is in the future where none may be",
            Self::ControlCharacter => "a text for people holds a control character",
            Self::JwtMalformed => "the session JWT cannot be read",
            Self::JwtWrongProject => "the session JWT is of another project",
            Self::JwtNoSession => "the JWT names no session",
            Self::WrongProject => "project_id names another project than the worker's",
            Self::LaneMismatch => {
                "it came to a lane by a CC or BCC header, or through another lane's exchange"
            }
            Self::CloudeventVersion => "it is a CloudEvent of another version than 1.0",
            Self::CloudeventDataBase64 => {
                "it is a CloudEvent with data_base64 in place of data: send the fields as JSON"
            }
            Self::CloudeventMixedPrefixes => {
                "its headers are those of a CloudEvent in more than one spelling, such as ce-id beside cloudEvents:type"
            }
        }
    }
}
