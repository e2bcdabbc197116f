//! The cases, measured and reported one after the other.

use crate::case::{self, Case};
use crate::contender::Contender;
use crate::lab::Lab;
use crate::options::Options;
use crate::result::Result;
use crate::{fleet, outage, remote, report, start};

/// Measures Tollgate beside what a user would pick instead.
pub(crate) fn peers(options: &Options) -> Result<()> {
    let cases = [vec![case::peers()], case::gate()].concat();
    let chosen = |case: &Case| options.case.is_empty() || options.case == case.name;
    let lab = Lab::open(options)?;
    println!("{}\n", lab.machine.line());
    cases.into_iter().filter(chosen).try_for_each(|case| measure_and_report(&lab, case))
}

/// Measures the case that `options` names, or all of them but the longest.
pub(crate) fn all(options: &Options) -> Result<()> {
    let cases = [case::all(), case::gate()].concat();
    let names = cases.iter().map(|case| case.name).chain([
        start::NAME,
        fleet::NAME,
        outage::NAME,
        remote::NAME,
    ]);
    let chosen = |name: &str| options.case.is_empty() || options.case == name;
    if !names.clone().any(chosen) {
        let names: Vec<&str> = names.collect();
        return Err(format!("there is no case {:?}: {}", options.case, names.join(", ")).into());
    }
    let mut lab = Lab::open(options)?;
    println!("{}\n", lab.machine.line());
    for case in cases.into_iter().filter(|case| chosen(case.name)) {
        measure_and_report(&lab, case)?;
    }
    if chosen(start::NAME) {
        start::measure(&lab)?;
    }
    if chosen(fleet::NAME) {
        fleet::measure(&lab)?;
    }
    if chosen(outage::NAME) {
        outage::measure(&mut lab)?;
    }
    // It takes as long as all the others, and so is measured only when it is named.
    if options.case == remote::NAME {
        remote::measure(&lab)?;
    }
    Ok(())
}

fn measure_and_report(lab: &Lab, mut case: Case) -> Result<()> {
    if case.contenders.contains(&Contender::Increx) && !lab.redis_knows("INCREX")? {
        println!("increx is left out: this Redis does not know INCREX, as 8.8 and Valkey 9.2 do.");
        case.contenders.retain(|who| *who != Contender::Increx);
    }
    case.contenders.retain(|who| match who {
        Contender::Peer(peer) if !peer.is_installed(&lab.options.results.join("peers")) => {
            println!("{} is left out: `make bench-peers` installs it.", peer.name);
            false
        }
        _ => true,
    });
    let outcome = lab.measure(case)?;
    print!("{}", report::table(&outcome));
    report::keep(lab, outcome.case.name, &report::json(lab, &outcome))
}
