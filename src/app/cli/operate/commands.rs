//! The command line of the commands of operators.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use crate::app::cli::options::Options;
use crate::app::observation::Rank;

/// How often the live view may ask, at most and at least.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3_600);

/// What operators do with a process that serves. Each command finds it by `admin.listen` of the configuration.
#[derive(Subcommand)]
pub(in crate::app::cli) enum Operate {
    /// Say where a client stands, as in `tollgate peek user:1042`
    Peek {
        #[command(flatten)]
        key: KeyOptions,
        #[command(flatten)]
        common: Common,
    },
    /// Say what would happen to a request and why, as in `tollgate explain GET /api/data --ip 203.0.113.7`
    Explain {
        #[command(flatten)]
        request: RequestOptions,
        #[command(flatten)]
        common: Common,
    },
    /// Make the quotas of a client whole again
    Reset {
        #[command(flatten)]
        key: KeyOptions,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// Refuse a client for a while, as in `tollgate ban ip:203.0.113.7 --for 1h --why 'brute force'`
    Ban {
        #[command(flatten)]
        key: KeyOptions,
        #[command(flatten)]
        lasts: For,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// End a ban
    Unban {
        #[command(flatten)]
        key: KeyOptions,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// Give a client another quota for a while, as in `tollgate boost user:1042 --quota 500/minute --for 1d`
    Boost {
        #[command(flatten)]
        key: KeyOptions,
        /// The quota, in units per window
        #[arg(long, value_name = "QUOTA")]
        quota: String,
        #[command(flatten)]
        lasts: For,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// End a boost
    Unboost {
        #[command(flatten)]
        key: KeyOptions,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// Switch a policy off in every process
    Disable {
        /// The policy
        policy: String,
        /// For how long, as in 1h; for 366 days unless given
        #[arg(long = "for", value_name = "TIME")]
        lasts: Option<String>,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// Switch a policy on again
    Enable {
        /// The policy
        policy: String,
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        note: NoteOptions,
    },
    /// Show which clients are refused most, or are busiest: live in a terminal, and else once
    Top {
        /// By refusals or by requests
        #[arg(long, value_enum, default_value_t)]
        by: Rank,
        /// Print a list and end, in a terminal too; so does --json
        #[arg(long)]
        once: bool,
        /// How often the live view asks, from 100ms on
        #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
        every: Duration,
        /// Under this policy alone
        #[arg(long, value_name = "NAME")]
        policy: Option<String>,
        /// At most so many clients, where a list is printed
        #[arg(long, short, value_name = "NUMBER", default_value_t = 10)]
        number: usize,
        #[command(flatten)]
        common: Common,
    },
    /// Say whether the process serves: for containers, whose health is what a command exits with
    Health {
        #[command(flatten)]
        common: Common,
    },
    /// List bans, boosts and policies that are switched off
    List {
        #[command(flatten)]
        common: Common,
    },
    /// List what operators changed, newest first
    Audit {
        /// At most so many changes, up to 1000
        #[arg(long, value_name = "NUMBER", default_value_t = 100)]
        most: usize,
        #[command(flatten)]
        common: Common,
    },
}

/// Reads how often the live view asks.
fn interval(text: &str) -> Result<Duration, &'static str> {
    let interval = humantime::parse_duration(text);
    let is_sensible = |it: &Duration| (SHORTEST..=LONGEST).contains(it);
    interval.ok().filter(is_sensible).ok_or("expected a time from 100ms to 1h, as in 2s")
}

#[derive(Args)]
pub(in crate::app::cli) struct Common {
    #[command(flatten)]
    pub(in crate::app::cli) options: Options,
    /// Read the token from this file instead of the variable TOLLGATE_ADMIN_TOKEN
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(in crate::app::cli) json: bool,
}

#[derive(Args)]
pub(in crate::app::cli) struct KeyOptions {
    /// The client, as its identity stands in Redis: ip:203.0.113.7, ip:2001:db8::/64, user:1042, header:NAME:VALUE
    pub(super) key: String,
    /// Under this policy alone
    #[arg(long, value_name = "NAME")]
    pub(super) policy: Option<String>,
}

#[derive(Args)]
pub(in crate::app::cli) struct RequestOptions {
    /// The method
    pub(super) method: String,
    /// The path, as clients send it
    pub(super) path: String,
    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    pub(super) ip: Option<IpAddr>,
    /// The user's ID
    #[arg(long, value_name = "ID")]
    pub(super) user: Option<String>,
    /// The user's plan; that of the user's API keys unless given
    #[arg(long, value_name = "NAME", requires = "user")]
    pub(super) plan: Option<String>,
    /// A header field that a policy counts by, such as host or cookie; may be given several times
    #[arg(long = "header", value_name = "NAME:VALUE")]
    pub(super) headers: Vec<String>,
    /// A claim of the user's token that a policy counts by; may be given several times
    #[arg(long = "claim", value_name = "NAME:VALUE")]
    pub(super) claims: Vec<String>,
}

#[derive(Args)]
pub(in crate::app::cli) struct For {
    /// For how long, as in 30s, 10m, 1h or 2days
    #[arg(long = "for", value_name = "TIME")]
    pub(super) lasts: String,
}

#[derive(Args)]
pub(in crate::app::cli) struct NoteOptions {
    /// Why, for the list of changes
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) why: String,
    /// Who, for the list of changes; the user of this shell unless given
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
    /// Do it without asking, though it may be more than is meant
    #[arg(long)]
    pub(super) yes: bool,
}

impl Operate {
    /// The options that say where the configuration is.
    pub(in crate::app::cli) fn common(&self) -> &Common {
        match self {
            Self::Peek { common, .. }
            | Self::Explain { common, .. }
            | Self::Reset { common, .. }
            | Self::Ban { common, .. }
            | Self::Unban { common, .. }
            | Self::Boost { common, .. }
            | Self::Unboost { common, .. }
            | Self::Disable { common, .. }
            | Self::Enable { common, .. }
            | Self::Top { common, .. }
            | Self::Health { common }
            | Self::List { common }
            | Self::Audit { common, .. } => common,
        }
    }
}
