//! Files of transactions in progress.

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

/// A piece as pgoutput sends it: kind, xid, content.
fn write(spills: &mut Spills, xid: u32, is_first: bool, pieces: &[(u32, &str)]) {
    let begun = spills.begin_block(xid, is_first, Lsn::new(1), 9);
    begun.expect("a block");
    for (subxid, text) in pieces {
        let piece = [&b"I"[..], &subxid.to_be_bytes(), text.as_bytes()].concat();
        spills.piece(Lsn::new(2), *subxid, &piece).expect("a piece");
    }
    spills.end_block().expect("ended");
}

fn released(spills: &mut Spills, xid: u32) -> String {
    let mut release = spills.commit(xid).expect("committed");
    let (mut text, mut piece) = (String::new(), Vec::new());
    while let Some(record) = release.next(&mut piece).expect("read") {
        match record {
            Record::Block(9) => text.push('|'),
            Record::Piece(_) => text.push_str(&String::from_utf8_lossy(&piece[5..])),
            other => panic!("{other:?}"),
        }
    }
    text
}

fn spills() -> (TempDir, Spills) {
    let folder = tempfile::tempdir().expect("a folder");
    let spills = Spills::open(folder.path()).expect("opened");
    (folder, spills)
}

fn files(folder: &TempDir) -> usize {
    fs::read_dir(folder.path()).expect("a folder").count()
}

#[test]
fn an_aborted_subtransaction_goes_with_its_children_and_nothing_else_does() {
    for indexed_max in [INDEXED_MAX, 1] {
        let (_folder, mut spills) = spills();
        spills.indexed_max = indexed_max;
        write(&mut spills, 5, true, &[(5, "a"), (6, "b"), (7, "c")]);
        write(&mut spills, 5, false, &[(8, "d"), (9, "e"), (8, "f")]);
        spills.abort(5, 9).expect("the child first");
        spills.abort(5, 8).expect("then the parent");
        spills.abort(5, 10).expect("of which nothing was streamed");
        write(&mut spills, 5, false, &[(11, "g"), (5, "h")]);
        assert_eq!(released(&mut spills, 5), "|abc||gh");
        assert_eq!(spills.indexed, 0);
    }
}

#[test]
fn a_child_that_wrote_before_its_parent_takes_the_parents_later_pieces_along() {
    let (_folder, mut spills) = spills();
    write(
        &mut spills,
        5,
        true,
        &[(5, "a"), (7, "child"), (6, "parent")],
    );
    spills.abort(5, 7).expect("child");
    spills.abort(5, 6).expect("parent");
    write(
        &mut spills,
        5,
        false,
        &[(6, "not the same again"), (8, "b")],
    );
    spills.abort(5, 6).expect("parent");
    assert_eq!(released(&mut spills, 5), "|a|");
}

#[test]
fn files_go_with_commit_abort_and_end() {
    let (folder, mut spills) = spills();
    for xid in 5..9 {
        write(&mut spills, xid, true, &[(xid, "a")]);
    }
    assert_eq!(files(&folder), 4);
    spills.abort(5, 5).expect("aborted");
    spills.abort(99, 99).expect("of nothing");
    assert_eq!(released(&mut spills, 6), "|a");
    assert_eq!(files(&folder), 2);
    drop(spills);
    assert_eq!(files(&folder), 0);
    fs::write(folder.path().join(format!("5{ENDING}")), "left").expect("written");
    Spills::open(folder.path()).expect("opened");
    assert_eq!(files(&folder), 0);
}

#[test]
fn a_transaction_without_its_beginning_is_refused() {
    let (_folder, mut spills) = spills();
    assert!(spills.begin_block(5, false, Lsn::ZERO, 1).is_err());
    assert!(spills.commit(5).is_err());
    write(&mut spills, 5, true, &[(5, "a")]);
    assert!(spills.begin_block(5, true, Lsn::ZERO, 1).is_err());
    assert!(spills.end_block().is_err());
}

/// What a session does inside its transaction.
#[derive(Debug, Clone, Copy)]
enum Act {
    Savepoint,
    Release,
    RollBack,
    Write,
    /// The source begins another block.
    Block,
}

/// A subtransaction as PostgreSQL has it: its xid comes with its first write, or its child's.
#[derive(Debug, Default)]
struct Level {
    xid: Option<u32>,
    /// Those that were released into it.
    children: Vec<u32>,
    /// What counts if it does.
    written: Vec<usize>,
}

/// Gives every level an xid that needs one; the last one's.
fn assign(levels: &mut [Level], next: &mut u32) -> u32 {
    for level in levels.iter_mut() {
        level.xid.get_or_insert_with(|| {
            *next = next.wrapping_add(1);
            *next
        });
    }
    levels.last().and_then(|level| level.xid).expect("a level")
}

proptest! {
    /// However savepoints are nested, whatever is remembered: what is released is what counts.
    #[test]
    fn what_is_released_is_what_was_not_rolled_back(
        acts in prop::collection::vec(
            prop_oneof![
                3 => Just(Act::Savepoint), 2 => Just(Act::Release), 2 => Just(Act::RollBack),
                5 => Just(Act::Write), 1 => Just(Act::Block),
            ],
            0..120,
        ),
        indexed_max in 1usize..12,
        first_xid in prop::sample::select(vec![5, u32::MAX - 7]),
    ) {
        let (_folder, mut spills) = spills();
        spills.indexed_max = indexed_max;
        let mut next = first_xid;
        let mut levels = vec![Level { xid: Some(first_xid), ..Level::default() }];
        spills.begin_block(first_xid, true, Lsn::new(1), 9).expect("begun");
        for (number, act) in acts.into_iter().enumerate() {
            match act {
                Act::Savepoint => levels.push(Level::default()),
                Act::Write => {
                    let xid = assign(&mut levels, &mut next);
                    let piece = [&b"I"[..], &xid.to_be_bytes(), &number.to_be_bytes()].concat();
                    spills.piece(Lsn::new(2), xid, &piece).expect("a piece");
                    levels.last_mut().expect("a level").written.push(number);
                }
                Act::Release | Act::RollBack if levels.len() == 1 => {}
                Act::Release => {
                    let level = levels.pop().expect("a level");
                    let parent = levels.last_mut().expect("its parent");
                    parent.children.extend(level.xid.into_iter().chain(level.children));
                    parent.written.extend(level.written);
                }
                Act::RollBack => {
                    let mut level = levels.pop().expect("a level");
                    spills.end_block().expect("ended");
                    level.children.sort_unstable();
                    for xid in level.children.into_iter().chain(level.xid) {
                        spills.abort(first_xid, xid).expect("aborted");
                    }
                    spills.begin_block(first_xid, false, Lsn::new(1), 9).expect("begun");
                }
                Act::Block => {
                    spills.end_block().expect("ended");
                    spills.begin_block(first_xid, false, Lsn::new(1), 9).expect("begun");
                }
            }
        }
        spills.end_block().expect("ended");
        prop_assert!(spills.indexed <= indexed_max.max(1));
        let counts: Vec<_> = levels.into_iter().flat_map(|level| level.written).collect();
        let mut release = spills.commit(first_xid).expect("committed");
        let (mut found, mut piece) = (Vec::new(), Vec::new());
        while let Some(record) = release.next(&mut piece).expect("read") {
            if let Record::Piece(_) = record {
                found.push(usize::from_be_bytes(piece[5..].try_into().expect("a number")));
            }
        }
        prop_assert_eq!(found, counts);
        prop_assert_eq!(spills.indexed, 0);
    }
}
