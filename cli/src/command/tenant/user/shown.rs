//! Users as they are shown.

use comfy_table::Cell;
use serde_json::{Value, json};
use tresor_proto::{TenantRole, vault::User};

use crate::{
    command::tenant::moment,
    error::CliError,
    output::{Output, Tone, printable},
};

/// Gives a list of users.
pub(super) fn list(output: &Output, users: &[User]) -> Result<(), CliError> {
    let document = json!({ "users": users.iter().map(to_json).collect::<Vec<_>>() });
    output.give(&document, |output| {
        let header = ["user", "roles", "state", "password since", "added"];
        output.table(&header, users.iter().map(|user| row(output, user)))
    })
}

/// Gives a user to whom something was done.
pub(super) fn show(output: &Output, done: &str, user: &User) -> Result<(), CliError> {
    let document = json!({ "done": done, "user": to_json(user) });
    output.give(&document, |output| output.line(format!("{} is {done}", in_words(user))))
}

/// A user in a sentence.
pub(super) fn in_words(user: &User) -> String {
    format!("user {} ({}, {})", printable(&user.name), roles_in_words(user), state(user).1)
}

/// What a user is for.
pub(super) fn roles_in_words(user: &User) -> String {
    roles(user).join(", ")
}

/// A user for a program.
pub(super) fn to_json(user: &User) -> Value {
    json!({
        "name": user.name,
        "roles": roles(user),
        "state": state(user).1,
        "created": moment(user.created),
        "password_changed": moment(user.password_changed),
        "one_time_password_expires": moment(user.one_time_password_expires),
    })
}

fn row(output: &Output, user: &User) -> Vec<Cell> {
    let (tone, state) = state(user);
    vec![
        printable(&user.name).into_owned().into(),
        roles_in_words(user).into(),
        output.cell(tone, state),
        moment(user.password_changed).unwrap_or_default().into(),
        moment(user.created).unwrap_or_default().into(),
    ]
}

fn roles(user: &User) -> Vec<&'static str> {
    let name = |number: &i32| TenantRole::from_wire(*number).map_or("unknown", TenantRole::as_str);
    user.roles.iter().map(name).collect()
}

fn state(user: &User) -> (Tone, &'static str) {
    match (user.disabled, user.one_time_password_expires) {
        (true, _) => (Tone::Bad, "disabled"),
        (false, Some(_)) => (Tone::Notable, "password to be chosen"),
        (false, None) => (Tone::Good, "enabled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_told_with_roles_and_state() {
        let user = User { name: "erika".to_owned(), roles: vec![1, 4, 9], ..User::default() };
        assert_eq!(in_words(&user), "user erika (admin, auditor, unknown, enabled)");
        let new = User { one_time_password_expires: Some(Default::default()), ..user.clone() };
        assert_eq!(state(&new).1, "password to be chosen");
        assert_eq!(state(&User { disabled: true, ..new }).1, "disabled");
        let terminal = User { name: "a\u{202e}b".to_owned(), ..user };
        assert!(!in_words(&terminal).contains('\u{202e}'));
    }
}
