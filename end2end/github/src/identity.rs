//! Who calls: read from the `Authorization` header in every form that git and API clients send.

use crate::state::Accounts;
use axum::http::{HeaderMap, header};
use base64::{Engine as _, prelude::BASE64_STANDARD};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    Anonymous,
    User {
        login: String,
    },
    /// A token that is unknown or was revoked: refused everywhere, even for public things.
    Stranger,
}

impl Identity {
    pub(crate) fn of(headers: &HeaderMap, accounts: &Accounts) -> Self {
        let Some(header) = headers.get(header::AUTHORIZATION) else { return Self::Anonymous };
        let tokens = header.to_str().map(tokens).unwrap_or_default();
        let login = tokens.iter().find_map(|token| accounts.owner_of_token(token));
        login.map_or(Self::Stranger, |login| Self::User { login: login.to_owned() })
    }

    pub(crate) fn login(&self) -> Option<&str> {
        match self {
            Self::User { login } => Some(login),
            Self::Anonymous | Self::Stranger => None,
        }
    }
}

/// The texts that may be the token. In `Basic` it stands as the password, or as the user when
/// the password says `x-oauth-basic`.
fn tokens(header: &str) -> Vec<String> {
    let Some((scheme, rest)) = header.split_once(' ') else { return Vec::new() };
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => vec![rest.to_owned()],
        "basic" => {
            let text = BASE64_STANDARD.decode(rest).ok().and_then(|it| String::from_utf8(it).ok());
            let pair = text.as_deref().and_then(|text| text.split_once(':'));
            pair.map(|(user, password)| vec![password.to_owned(), user.to_owned()])
                .unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn a_token_is_found_in_every_form_that_clients_send() {
        let check = |header, expected: &[&str]| assert_eq!(tokens(header), expected, "{header}");
        check("Bearer abc", &["abc"]);
        check("token abc", &["abc"]);
        check("Basic eC1hY2Nlc3MtdG9rZW46YWJj", &["abc", "x-access-token"]);
        check("Basic ???", &[]);
        check("Digest abc", &[]);
        check("abc", &[]);
    }
}
