//! What every command is given: where its results go and what the profile says.
//!
//! The profile is read when a command first asks for it, so that a broken one does not stand in the
//! way of a command that needs none.

use std::path::PathBuf;

use crate::{
    error::CliError,
    output::{Format, Output},
    profile::Profile,
};

/// Settings every command takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// How results are shown
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "table",
        env = "TRESOR_OUTPUT",
        help_heading = "Global options"
    )]
    output: Format,
    /// Profile with addresses and certificates; `tresor.toml` here if there is one
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "TRESOR_PROFILE",
        help_heading = "Global options"
    )]
    profile: Option<PathBuf>,
    /// Do not use colour; so does any value of NO_COLOR
    #[arg(
        long,
        global = true,
        env = "NO_COLOR",
        value_name = "ANY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1",
        hide_env = true,
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    no_color: Option<String>,
}

/// What every command is given.
pub(crate) struct Session {
    /// Where results go.
    pub(crate) output: Output,
    profile_path: Option<PathBuf>,
}

impl Session {
    /// Takes the settings of the command line.
    pub(crate) fn new(settings: &Settings) -> Self {
        // https://no-color.org: present and not empty, whatever it says.
        let is_colour_allowed = settings.no_color.as_deref().is_none_or(str::is_empty);
        Self {
            output: Output::new(settings.output, is_colour_allowed),
            profile_path: settings.profile.clone(),
        }
    }

    /// The profile.
    pub(crate) fn profile(&self) -> Result<Profile, CliError> {
        Profile::load(self.profile_path.as_deref())
    }
}
