//! `dead-letters purge`: given up for ever, so never without a filter, a reason and a yes.

use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::json;

use super::{DeedArgs, failure, filter::Filter, group::Groups, record::Deed, scan::scan};
use crate::{
    broker::{
        self,
        browse::{Browse, LETTERS_MAX},
    },
    campaign::Order,
    cli::{Failure, print, status::text::number},
    config::DeadLettersArgs,
    settle::letter::Letter,
    shutdown,
};

/// Which letters.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    deed: DeedArgs,
    #[command(flatten)]
    settings: DeadLettersArgs,
}

/// Deletes them.
///
/// # Errors
/// Without a filter; when somebody else looks at the dead letters, or the broker cannot be used.
pub async fn run(args: Args) -> Result<(), Failure> {
    let settings = args.settings.settings()?.broker;
    if args.filter.is_empty() {
        return Err(Failure::Usage(
            "purge deletes for ever: say which dead letters, such as --code malformed_json; dead-letters list shows what there is"
                .to_owned(),
        ));
    }
    let limit = args.deed.limit.unwrap_or(LETTERS_MAX);
    let mut found = Groups::default();
    let each = |letter: &Letter, _: &_, _: &_| {
        if found.letters < limit {
            found.add(letter);
        }
    };
    scan(&settings, None, &args.filter, LETTERS_MAX, each).await?;
    if !args.deed.yes || found.letters == 0 {
        return would(&args, &found);
    }
    let deed = Deed::new(
        &settings,
        &args.deed,
        &args.filter,
        Order::DeadLettersPurged,
    );
    deed.begins(found.codes()).await?;
    let mut purged = Groups::default();
    let ended = purge(&settings, &args.filter, limit, &mut purged).await;
    deed.ended(purged.codes()).await?;
    let said = match args.deed.json {
        true => json!({"purged": purged.letters, "codes": purged.codes()}).to_string(),
        false => format!("deleted {} dead letters for ever", number(purged.letters)),
    };
    print(&format!("{said}\n"))?;
    ended
}

fn would(args: &Args, found: &Groups) -> Result<(), Failure> {
    let said = match args.deed.json {
        true => format!(
            "{}\n",
            json!({"purged": 0, "would_purge": found.letters, "codes": found.codes()})
        ),
        false => format!(
            "{}{} dead letters match{}\n",
            found.text(Timestamp::now()),
            number(found.letters),
            match found.letters {
                0 => "",
                _ => "; nothing was deleted: --yes --why TEXT deletes them for ever",
            }
        ),
    };
    Ok(print(&said)?)
}

async fn purge(
    settings: &broker::Settings,
    filter: &Filter,
    limit: u64,
    purged: &mut Groups,
) -> Result<(), Failure> {
    let stop = shutdown::on_signal().map_err(|error| Failure::Failed(error.into()))?;
    let now = Timestamp::now();
    let mut browse = Browse::open(settings, LETTERS_MAX).await.map_err(failure)?;
    let mut ended = Ok(());
    while purged.letters < limit {
        if stop.is_cancelled() {
            ended = Err(Failure::Failed(anyhow!(
                "interrupted; the rest is still there"
            )));
            break;
        }
        let letter = match browse.next().await {
            Ok(None) => break,
            Ok(Some(taken)) => {
                let letter = Letter::read(&taken.found, &taken.body, None);
                drop(taken.body);
                match filter.matches(&letter, now) {
                    true => browse.remove(taken.hold).await.map(|()| Some(letter)),
                    false => Ok(None),
                }
            }
            Err(error) => Err(error),
        };
        match letter {
            Ok(letter) => letter.iter().for_each(|letter| purged.add(letter)),
            Err(error) => {
                ended = Err(failure(error));
                break;
            }
        }
    }
    browse.close().await;
    ended
}
