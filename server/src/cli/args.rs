//! Every command and flag. Values come from flags first, from the environment otherwise.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use drover::{
    id::CampaignSpecId,
    names::{CampaignName, NamespaceName},
};
use secrecy::SecretString;
use std::{convert::Infallible, net::IpAddr, path::PathBuf, str::FromStr};

/// Changes many repositories at once: previews every pull request, applies, and follows them.
#[derive(Debug, Parser)]
#[command(
    name = "drover",
    version,
    after_help = "Exit codes: 0 all went well, or nothing is to do; 1 an error, or something \
                  failed or needs a person; 2 changes pending (preview --detailed-exitcode only)."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
    /// Write without colours.
    #[arg(long, global = true, env = "NO_COLOR", num_args = 0..=1, default_missing_value = "1", hide_env_values = true)]
    pub no_color: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server.
    Serve(ServeArgs),
    /// Run a server with a private PostgreSQL and a GitHub stand-in with sample repositories.
    Demo(DemoArgs),
    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Show what is wrong with a spec, without a server.
    Validate(ValidateArgs),
    /// Execute a spec on the server and print the address of its preview.
    Preview(PreviewArgs),
    /// Preview a spec, apply it, and wait until its changesets are as wanted.
    Apply(ApplyArgs),
    /// Show a campaign and its changesets.
    Status(StatusArgs),
    /// Print the JSON Schema of campaign specs.
    Schema,
    /// Print a completion script, such as for `drover completion bash > …`.
    Completion(CompletionArgs),
}

#[derive(Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
    /// Where people reach this server, when that is not the address it listens on.
    #[arg(long, env = "DROVER_PUBLIC_URL")]
    pub public_url: Option<url::Url>,
    /// A PostgreSQL to use instead of a private one in the data directory.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = secret)]
    pub database_url: Option<SecretString>,
    /// The key that seals secrets, 32 bytes in base64; otherwise a file in the data directory.
    #[arg(long, env = crate::secret::key::VARIABLE, hide_env_values = true, value_parser = secret)]
    pub secret_key: Option<SecretString>,
    /// The API of the GitHub to work with; `https://HOST/api/v3` for Enterprise Server, otherwise
    /// that of github.com. Another one than before is refused.
    #[arg(long, env = "DROVER_GITHUB_URL")]
    pub github_url: Option<String>,
    /// The token to act on GitHub with; stored sealed, so that it is needed once only.
    #[arg(long, env = "DROVER_GITHUB_TOKEN", hide_env_values = true, value_parser = secret)]
    pub github_token: Option<SecretString>,
    /// Whether steps may use the network.
    #[arg(long, env = "DROVER_STEP_NETWORK", default_value = "deny")]
    pub step_network: StepNetwork,
    /// What to do with a step that names a container, which this version cannot run.
    #[arg(long, env = "DROVER_STEP_CONTAINERS", default_value = "refuse")]
    pub step_containers: StepContainers,
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Where a server listens and keeps its data.
#[derive(Debug, Args)]
pub struct PlaceArgs {
    /// The address to listen on.
    #[arg(long, env = "DROVER_LISTEN", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, env = "DROVER_PORT", default_value_t = PORT)]
    pub port: u16,
    /// Where repositories, the private database and the key are kept.
    #[arg(long, env = "DROVER_DATA_DIR", default_value = "drover-data")]
    pub data_dir: PathBuf,
}

/// The port of a server that is told no other.
pub const PORT: u16 = 8080;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepNetwork {
    Deny,
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepContainers {
    /// Refuse the spec.
    Refuse,
    /// Run the step in the sandbox instead, and say so.
    Ignore,
}

/// Which server to ask, and as whom.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The address of the server.
    #[arg(long, env = "DROVER_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// Your access token.
    #[arg(long, env = "DROVER_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: Option<SecretString>,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Clone, Copy, Debug, Args)]
pub struct OutputArgs {
    /// Write the result as JSON, and errors too.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The file with the spec; `-` reads it from stdin.
    #[arg(short, long, value_name = "SPEC")]
    pub file: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
}

#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// The file with the spec; `-` reads it from stdin.
    #[arg(short, long, value_name = "SPEC")]
    pub file: PathBuf,
    /// Whose campaign it is; your own otherwise.
    #[arg(long)]
    pub namespace: Option<NamespaceName>,
    /// Exit with 2 when all went well and apply would change something.
    #[arg(long)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    pub what: ApplyWhat,
    /// Whose campaign it is; your own otherwise.
    #[arg(long, requires = "file")]
    pub namespace: Option<NamespaceName>,
    /// Apply the others when repositories have no result; without it, a person is asked.
    #[arg(long)]
    pub allow_failed: bool,
    /// Return when the server has accepted the plan.
    #[arg(long)]
    pub no_wait: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct ApplyWhat {
    /// The file with the spec; `-` reads it from stdin.
    #[arg(short, long, value_name = "SPEC")]
    pub file: Option<PathBuf>,
    /// A preview that was looked at: the `spec` of `preview --json`.
    #[arg(value_name = "SPEC_ID")]
    pub spec: Option<CampaignSpecId>,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    /// `NAME` in your own namespace, or `NAMESPACE/NAME`.
    #[arg(value_name = "NAME")]
    pub campaign: CampaignRef,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, Args)]
pub struct CompletionArgs {
    pub shell: Shell,
}

impl ClientCommand {
    /// How the result is to be written.
    #[must_use]
    pub fn output(&self) -> OutputArgs {
        match self {
            Self::Validate(args) => args.output,
            Self::Preview(args) => args.server.output,
            Self::Apply(args) => args.server.output,
            Self::Status(args) => args.server.output,
            Self::Schema | Self::Completion(_) => OutputArgs { json: false },
        }
    }
}

/// A campaign as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignRef {
    /// `None`: the viewer's own.
    pub namespace: Option<NamespaceName>,
    pub name: CampaignName,
}

impl FromStr for CampaignRef {
    type Err = drover::names::NameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) => {
                Ok(Self { namespace: Some(namespace.parse()?), name: name.parse()? })
            }
            None => Ok(Self { namespace: None, name: text.parse()? }),
        }
    }
}

fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn check(line: &str, expected: Result<(), &str>) {
        let words = std::iter::once("drover").chain(line.split_whitespace());
        match (Cli::try_parse_from(words), expected) {
            (Ok(_), Ok(())) => {}
            (Err(error), Err(part)) => {
                let text = error.to_string();
                assert!(text.contains(part), "{line}: {text}");
            }
            (parsed, _) => panic!("{line}: {parsed:?}, not {expected:?}"),
        }
    }

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lines_are_taken_or_refused_with_a_reason() {
        for line in [
            "validate -f spec.yaml",
            "preview -f - --json --detailed-exitcode --namespace acme",
            "apply -f spec.yaml --no-wait",
            "apply -f spec.yaml --allow-failed",
            "apply 0191a0a0-0000-7000-8000-000000000001",
            "status upgrade-tokio",
            "status acme/upgrade-tokio --url http://localhost:1 --token drv_x",
            "schema",
            "completion zsh",
            "serve --port 80 --listen 0.0.0.0 --step-network allow",
            "demo --port 4000 --data-dir /tmp/x",
        ] {
            check(line, Ok(()));
        }
        check("", Err("Usage"));
        check("preview", Err("--file"));
        check("apply", Err("--file"));
        check("apply -f a.yaml 0191a0a0-0000-7000-8000-000000000001", Err("cannot be used"));
        check("apply not-an-id", Err("invalid"));
        check("status a/b/c", Err("is not a campaign name"));
        check("serve --port 99999", Err("99999"));
        check("serve --step-network maybe", Err("deny, allow"));
    }

    #[test]
    fn secrets_show_neither_in_help_nor_in_debug_output() {
        let words = ["drover", "status", "x", "--token", "drv_canary"];
        let cli = Cli::try_parse_from(words).unwrap();
        assert!(!format!("{cli:?}").contains("canary"));
    }
}
