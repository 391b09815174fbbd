//! One man page a command.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::GeneratedFile;
use crate::cli::arguments::tree::definition;
use crate::cli::environment::VARIABLES;
use crate::cli::exit::ExitCode;

/// The page of every command that help shows, the main page first.
pub(super) fn pages() -> io::Result<Vec<GeneratedFile>> {
    let mut root = definition().disable_help_subcommand(true);
    root.build();
    let mut pages = vec![main_page(&root)?];
    subcommand_pages(&root, &mut pages)?;
    Ok(pages)
}

fn subcommand_pages(parent: &Command, pages: &mut Vec<GeneratedFile>) -> io::Result<()> {
    let shown = parent
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    for command in shown {
        // Building the tree has set this to the whole path, with dashes.
        let name = command.get_display_name().unwrap_or(command.get_name());
        let mut page = Vec::new();
        Man::new(command.clone()).render(&mut page)?;
        pages.push(file(name, page));
        subcommand_pages(command, pages)?;
    }
    Ok(())
}

fn main_page(root: &Command) -> io::Result<GeneratedFile> {
    let man = Man::new(root.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    man.render_options_section(&mut page)?;
    exit_codes().to_writer(&mut page)?;
    environment().to_writer(&mut page)?;
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    Ok(file("pgflit", page))
}

fn exit_codes() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["EXIT STATUS"]);
    for code in ExitCode::ALL {
        section.control("TP", []);
        section.text([bold(code.number().to_string())]);
        section.text([roman(code.meaning())]);
    }
    section.control("PP", []);
    section.text([roman(
        "After 6, 7, 9 or 12, the same command with --resume goes on from where it stopped.",
    )]);
    section
}

fn environment() -> Roff {
    let mut section = Roff::new();
    section.control("SH", ["ENVIRONMENT"]);
    section.text([roman(
        "An option that is given beats its variable, which beats the file given by --config. Where \
         PGFLIT_X is not set, PGCOPYDB_X counts. Booleans are written as in PostgreSQL: on, off, \
         true, false, yes, no, 1, 0.",
    )]);
    let libpq = [
        (
            "PGHOST, PGPORT, PGUSER, PGPASSFILE, PGSERVICE, …",
            "What a connection string leaves open, as in libpq.",
        ),
        (
            "PG_CONFIG",
            "The pg_config whose pg_dump and pg_restore are used.",
        ),
        (
            "TMPDIR",
            "Holds the work directory unless --dir is given; /tmp without it.",
        ),
        (
            "XDG_DATA_HOME",
            "Holds captured changes unless --dir is given; ~/.local/share without it.",
        ),
        ("NO_COLOR", "No colours, if set to anything."),
    ];
    let options = VARIABLES.iter().map(|variable| {
        (
            format!("PGFLIT_{}", variable.name),
            format!("Stands for --{}.", variable.option),
        )
    });
    let others = libpq.map(|(name, meaning)| (name.to_owned(), meaning.to_owned()));
    for (name, meaning) in options.chain(others) {
        section.control("TP", []);
        section.text([bold(name)]);
        section.text([roman(meaning)]);
    }
    section
}

fn file(name: &str, contents: Vec<u8>) -> GeneratedFile {
    GeneratedFile {
        path: format!("man/{name}.1").into(),
        contents,
    }
}
