//! Users: what an operator does about them, and what they do themselves.

mod administer;
mod change_password;
mod login;

pub use administer::GivenPassword;
pub use login::LoggedIn;
