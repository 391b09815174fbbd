//! What changes come to is what they do one by one.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::statement::as_known;
use super::*;
use crate::base::Lsn;
use crate::cdc::apply::block::{Origin, Values};
use crate::cdc::apply::expect::Emptying;
use crate::cdc::apply::place::Place;
use crate::cdc::change::{Begin, Identity, Operation};
use crate::cdc::sql_line::{Prepare, Shape, TruncateLine};

/// Rows by their keys.
type Model = BTreeMap<String, BTreeMap<String, Option<String>>>;

/// What happens to a row; keys and values are small so that changes meet.
#[derive(Debug, Clone)]
enum Act {
    Insert(u8, [u8; 2]),
    /// Sets one or both of the other columns.
    Update(u8, [Option<u8>; 2]),
    Move(u8, u8),
    Delete(u8),
    Truncate,
}

fn act() -> impl Strategy<Value = Act> {
    let key = 0..6u8;
    prop_oneof![
        4 => (key.clone(), any::<[u8; 2]>()).prop_map(|(key, values)| Act::Insert(key, values)),
        6 => (key.clone(), any::<[Option<u8>; 2]>()).prop_map(|(key, set)| Act::Update(key, set)),
        4 => key.clone().prop_map(Act::Delete),
        1 => (key.clone(), key).prop_map(|(from, to)| Act::Move(from, to)),
        1 => Just(Act::Truncate),
    ]
}

fn change(op: Operation, columns: &[(&str, bool, Option<String>)]) -> Change {
    let shape = Shape {
        op,
        schema: "public".into(),
        table: "t".into(),
        identity: Identity::Default,
        columns: columns
            .iter()
            .map(|(name, ..)| (*name).to_owned())
            .collect(),
        types: columns.iter().map(|_| "text".to_owned()).collect(),
        modifiers: columns.iter().map(|_| -1).collect(),
        key: (0..columns.len()).filter(|at| columns[*at].1).collect(),
    };
    let values = columns
        .iter()
        .map(|(_, _, value)| value.as_deref().map(str::as_bytes));
    let sql = as_known(&shape).expect("columns");
    Change {
        prepare: Arc::new(Prepare::new(sql, shape)),
        written: None,
        values: Values::of(values, Origin::File(std::path::Path::new("t").into())),
        begin: begin(),
        at: 1,
    }
}

fn begin() -> Arc<Begin> {
    Arc::new(Begin {
        xid: 1,
        lsn: Lsn::new(1),
        commit_lsn: None,
        timestamp: None,
    })
}

/// The change that `act` makes, if there is or is not such a row as it takes, and what it does.
fn done(act: &Act, model: &mut Model) -> Option<Ready> {
    // One value in four is null.
    let shown = |value: u8| (!value.is_multiple_of(4)).then(|| value.to_string());
    let name = |at: usize| ["a", "b"][at];
    Some(match act {
        Act::Insert(key, values) => {
            let key = key.to_string();
            if model.contains_key(&key) {
                return None;
            }
            let row = (0..2).map(|at| (name(at).to_owned(), shown(values[at])));
            model.insert(key.clone(), row.collect());
            let key = ("id", true, Some(key));
            let values = (0..2).map(|at| (name(at), false, shown(values[at])));
            let columns: Vec<_> = [key].into_iter().chain(values).collect();
            Ready::Row(change(Operation::Insert, &columns))
        }
        Act::Update(key, set) => {
            let key = key.to_string();
            let row = model.get_mut(&key)?;
            let set: Vec<_> = (0..2).filter_map(|at| Some((name(at), set[at]?))).collect();
            if set.is_empty() {
                return None;
            }
            for (name, value) in &set {
                row.insert((*name).to_owned(), shown(*value));
            }
            let set = set
                .into_iter()
                .map(|(name, value)| (name, false, shown(value)));
            let columns: Vec<_> = set.chain([("id", true, Some(key))]).collect();
            Ready::Row(change(Operation::Update, &columns))
        }
        Act::Move(from, to) => {
            let (from, to) = (from.to_string(), to.to_string());
            if from != to && model.contains_key(&to) {
                return None;
            }
            let row = model.remove(&from)?;
            model.insert(to.clone(), row);
            let columns = [("id", false, Some(to)), ("id", true, Some(from))];
            Ready::Row(change(Operation::Update, &columns))
        }
        Act::Delete(key) => {
            let key = key.to_string();
            model.remove(&key)?;
            Ready::Row(change(Operation::Delete, &[("id", true, Some(key))]))
        }
        Act::Truncate => {
            model.clear();
            let line = TruncateLine {
                rels: vec![("public".into(), "t".into())],
                cascade: false,
                restart_identity: false,
            };
            Ready::Empty(Emptied {
                emptying: Arc::new(Emptying {
                    line: line.clone(),
                    begin: begin(),
                    place: Place::Line(std::path::Path::new("t").into(), 1),
                }),
                line,
                partly: vec![],
            })
        }
    })
}

fn text(value: &Field<'_>) -> Option<String> {
    value
        .text
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Does to `model` what one command does: each row must be as it expects.
fn write(model: &mut Model, action: Action, columns: &[&str], keys: usize, row: &[Field<'_>]) {
    let (set, key) = columns.split_at(columns.len() - keys);
    let old = (keys > 0).then(|| text(&row[columns.len() - 1]).expect("a key"));
    assert!(keys <= 1 && key.iter().all(|name| *name == "id"));
    match (action, old) {
        (Action::Delete, Some(old)) => assert!(model.remove(&old).is_some(), "{old} deleted"),
        (Action::Miss, Some(old)) => assert!(!model.contains_key(&old), "{old} missed"),
        (Action::Update, Some(old)) => {
            let mut content = model.remove(&old).expect("a row to update");
            let mut new = old;
            for (name, value) in set.iter().zip(row) {
                match *name {
                    "id" => new = text(value).expect("a key"),
                    name => drop(content.insert(name.to_owned(), text(value))),
                }
            }
            assert!(model.insert(new, content).is_none());
        }
        (Action::Insert, _) => {
            let mut content: BTreeMap<_, _> = (columns.iter().zip(row))
                .map(|(name, value)| ((*name).to_owned(), text(value)))
                .collect();
            let key = content.remove("id").flatten().expect("a key");
            assert!(
                model.insert(key.clone(), content).is_none(),
                "{key} inserted"
            );
        }
        other => panic!("{other:?}"),
    }
}

fn write_row(model: &mut Model, change: &Change) {
    let shape = &change.prepare.shape;
    let action = match shape.op {
        Operation::Insert => Action::Insert,
        Operation::Update => Action::Update,
        Operation::Delete => Action::Delete,
    };
    let keys = match action {
        Action::Insert => 0,
        _ => shape.key.len(),
    };
    let columns: Vec<&str> = shape.columns.iter().map(String::as_str).collect();
    let values: Vec<_> = (0..change.values.len())
        .map(|at| change.values.field(at))
        .collect();
    write(model, action, &columns, keys, &values);
}

fn written(model: &mut Model, pieces: &[Piece<'_>]) {
    for piece in pieces {
        match piece {
            Piece::Row(change) => write_row(model, change),
            Piece::Empty(_) => model.clear(),
            Piece::Set(set) => {
                assert_eq!(set.values.len(), set.rows * set.columns.len());
                for row in set.values.chunks(set.columns.len()) {
                    write(model, set.action, &set.columns, set.keys, row);
                }
            }
        }
    }
}

fn table() -> Known {
    Known::Table(Arc::new(TargetTable::with_key(&["id"], &["a", "b"])))
}

proptest! {
    #![proptest_config(crate::base::hostile::at_least(4096))]
    #[test]
    fn what_changes_come_to_is_what_they_do_one_by_one(
        before in proptest::collection::vec(act(), 0..8),
        acts in proptest::collection::vec(act(), 0..60),
    ) {
        let mut source = Model::new();
        for act in &before {
            let _ = done(act, &mut source);
        }
        let mut target = source.clone();
        let batch: Vec<_> = acts.iter().filter_map(|act| done(act, &mut source)).collect();
        let pieces = all_of(&batch, |_| table()).expect("they follow from each other");
        written(&mut target, &pieces);
        prop_assert_eq!(source, target);
    }
}

/// All parts of what `batch` comes to.
fn all_of(
    batch: &[Ready],
    table: impl Fn(&QualifiedName) -> Known,
) -> Result<Vec<Piece<'_>>, Contradiction> {
    let parts: Result<Vec<_>, _> = reduce(batch, table).collect();
    parts.map(|parts| parts.into_iter().flatten().collect())
}

fn inserted(key: &str) -> Ready {
    let columns = [("id", true, Some(key.to_owned())), ("a", false, None)];
    Ready::Row(change(Operation::Insert, &columns))
}

fn updated(key: &str, value: &str) -> Ready {
    let value = ("a", false, Some(value.to_owned()));
    Ready::Row(change(
        Operation::Update,
        &[value, ("id", true, Some(key.to_owned()))],
    ))
}

fn deleted(key: &str) -> Ready {
    Ready::Row(change(
        Operation::Delete,
        &[("id", true, Some(key.to_owned()))],
    ))
}

#[test]
fn a_row_that_is_changed_often_is_written_once() {
    let batch: Vec<_> = (0..1000).map(|n| updated("1", &n.to_string())).collect();
    let pieces = all_of(&batch, |_| table()).expect("they follow");
    let [Piece::Set(set)] = &pieces[..] else {
        panic!("{pieces:?}");
    };
    let last = ["999", "1"].map(|text| Some(text.to_owned()));
    assert_eq!(set.values.iter().map(text).collect::<Vec<_>>(), last);
}

#[test]
fn each_table_is_a_part_and_all_wait_for_a_change_that_may_look_at_any() {
    let of = |table: &str, key: usize| {
        let Ready::Row(change) = inserted(&key.to_string()) else {
            panic!("an insert");
        };
        let shape = Shape {
            table: table.to_owned(),
            ..change.prepare.shape.clone()
        };
        let prepare = Arc::new(Prepare::new(as_known(&shape).expect("columns"), shape));
        Ready::Row(Change { prepare, ..change })
    };
    let pairs = |keys: std::ops::Range<usize>| keys.flat_map(|key| [of("t", key), of("u", key)]);
    let mut batch: Vec<_> = pairs(0..FEW).collect();
    batch.push(of("watched", 0));
    batch.push(of("watched", 1));
    batch.extend(pairs(FEW..2 * FEW));
    let known = |name: &QualifiedName| match &*name.name {
        "watched" => Known::Unknown,
        _ => table(),
    };
    let parts: Vec<_> = reduce(&batch, known)
        .map(|part| part.expect("inserts alone"))
        .collect();
    let told = |piece: &Piece<'_>| match piece {
        Piece::Set(set) => (set.first.table().name.clone(), set.rows),
        Piece::Row(change) => (change.table().name.clone(), 1),
        Piece::Empty(_) => panic!("nothing is emptied"),
    };
    let told: Vec<Vec<_>> = (parts.iter())
        .map(|part| part.iter().map(told).collect())
        .collect();
    let expected = [
        ("t", FEW),
        ("u", FEW),
        ("watched", 1),
        ("watched", 1),
        ("t", FEW),
        ("u", FEW),
    ];
    let expected: Vec<_> = (expected.iter())
        .map(|(table, rows)| vec![((*table).to_owned(), *rows)])
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn few_rows_are_written_as_they_came_and_without_a_fitting_table_all_are() {
    let batch: Vec<_> = ["1", "2", "3"].map(inserted).into_iter().collect();
    let pieces = all_of(&batch, |_| table()).expect("they follow");
    assert!(pieces.iter().all(|piece| matches!(piece, Piece::Row(_))));
    let batch: Vec<_> = (0..100).map(|n| inserted(&n.to_string())).collect();
    let rows = |table: Option<TargetTable>| {
        let table = table.map_or(Known::Unknown, |table| Known::Table(Arc::new(table)));
        let pieces = all_of(&batch, |_| table.clone()).expect("they follow");
        pieces
            .iter()
            .filter(|piece| matches!(piece, Piece::Row(_)))
            .count()
    };
    assert_eq!(rows(None), 100);
    assert_eq!(
        rows(Some(TargetTable::with_key(&["other"], &["id", "a"]))),
        100
    );
    assert_eq!(rows(Some(TargetTable::with_key(&["id"], &["a"]))), 0);
}

#[test]
fn a_statement_that_says_more_is_run_as_it_is() {
    let plain = updated("1", "2");
    let Ready::Row(plain) = &plain else { panic!() };
    let shape = plain.prepare.shape.clone();
    let sql = format!("{} AND \"s\" = 1", plain.prepare.sql);
    let odd = Change {
        prepare: Arc::new(Prepare::new(sql, shape)),
        written: None,
        values: plain.values.clone(),
        begin: begin(),
        at: 1,
    };
    let batch: Vec<_> = (0..10).map(|_| Ready::Row(odd.clone())).collect();
    let pieces = all_of(&batch, |_| table()).expect("they follow");
    assert_eq!(pieces.len(), 10);
}

#[test]
fn what_cannot_have_happened_is_left_to_the_target_to_refuse() {
    for batch in [
        &[deleted("1"), deleted("1")][..],
        &[deleted("1"), updated("1", "2")],
        &[inserted("1"), inserted("1"), updated("1", "2")],
        &[updated("1", "2"), inserted("1")],
    ] {
        assert_eq!(all_of(batch, |_| table()).err(), Some(Contradiction));
    }
    // Which a unique index does.
    let inserts: Vec<_> = (0..FEW).map(|_| inserted("1")).collect();
    let pieces = all_of(&inserts, |_| table()).expect("inserts alone are not compared");
    assert!(matches!(&pieces[..], [Piece::Set(set)] if set.rows == FEW));
}
