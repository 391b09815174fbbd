//! How much of the copy one command does.

/// One thing that the copy does, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Makes the instance's roles.
    Roles,
    /// Makes extensions alone, with the schemas that they are in.
    Extensions,
    /// Makes what rows need.
    PreData,
    /// Copies what users have put into tables of extensions.
    ExtensionRows,
    /// Copies large objects.
    LargeObjects,
    /// Copies rows.
    Rows,
    /// Builds indexes and the constraints that they support; VACUUM, ANALYZE.
    Indexes,
    /// Makes what needs rows.
    PostData,
    /// Adds foreign keys.
    ForeignKeys,
    /// Refreshes materialized views.
    MaterializedViews,
    /// Makes what would stand in the way of everything else.
    Last,
    /// Sets sequences.
    Sequences,
}

/// What one command does of the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything; roles, if they were asked for.
    Whole,
    /// `copy roles`.
    Roles,
    /// `copy extensions`.
    Extensions,
    /// `copy schema`, `restore pre-data`: what rows need.
    Schema,
    /// `copy data`: all that comes after `copy schema`.
    Data,
    /// `copy table-data`.
    TableData,
    /// `copy blobs`.
    LargeObjects,
    /// `copy sequences`.
    Sequences,
    /// `copy indexes`.
    Indexes,
    /// `copy constraints`.
    Constraints,
    /// `restore schema`: all definitions, without anything that is in them.
    Definitions,
    /// `restore post-data`.
    PostData,
}

impl Scope {
    /// Whether `action` is part of it.
    pub fn has(self, action: Action) -> bool {
        use Action::{
            ExtensionRows, Extensions, ForeignKeys, Indexes, LargeObjects, Last, MaterializedViews,
            PostData, PreData, Roles, Rows, Sequences,
        };
        match self {
            Scope::Whole => action != Extensions,
            Scope::Roles => action == Roles,
            Scope::Extensions => matches!(action, Extensions | ExtensionRows),
            Scope::Schema => matches!(action, Roles | PreData),
            Scope::Data => !matches!(action, Roles | Extensions | PreData),
            Scope::TableData => matches!(action, ExtensionRows | Rows),
            Scope::LargeObjects => action == LargeObjects,
            Scope::Sequences => action == Sequences,
            Scope::Indexes => action == Indexes,
            Scope::Constraints => {
                matches!(action, PostData | ForeignKeys | MaterializedViews | Last)
            }
            Scope::Definitions => {
                matches!(action, PreData | Indexes | PostData | ForeignKeys | Last)
            }
            Scope::PostData => matches!(action, Indexes | PostData | ForeignKeys | Last),
        }
    }

    /// Whether it needs to know what the source contains.
    pub fn needs_catalog(self) -> bool {
        self != Scope::Roles
    }

    /// Whether it makes tables, so that the target must have none.
    pub fn makes_tables(self) -> bool {
        self.has(Action::PreData)
    }

    /// Whether it reads what has to be of one moment.
    pub fn reads_rows(self) -> bool {
        self.has(Action::Rows) || self.has(Action::LargeObjects)
    }

    /// Whether it needs tables that somebody else has made.
    pub fn needs_tables(self) -> bool {
        self.has(Action::Rows) && !self.has(Action::PreData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [Action; 12] = [
        Action::Roles,
        Action::Extensions,
        Action::PreData,
        Action::ExtensionRows,
        Action::LargeObjects,
        Action::Rows,
        Action::Indexes,
        Action::PostData,
        Action::ForeignKeys,
        Action::MaterializedViews,
        Action::Last,
        Action::Sequences,
    ];

    fn together(scopes: &[Scope]) -> Vec<Action> {
        let done = |action: &Action| scopes.iter().any(|scope| scope.has(*action));
        ACTIONS.into_iter().filter(done).collect()
    }

    #[test]
    fn the_steps_one_after_the_other_are_the_whole() {
        let whole = together(&[Scope::Whole]);
        assert_eq!(together(&[Scope::Schema, Scope::Data]), whole);
        let steps = [
            Scope::Schema,
            Scope::TableData,
            Scope::LargeObjects,
            Scope::Sequences,
            Scope::Indexes,
            Scope::Constraints,
        ];
        assert_eq!(together(&steps), whole);
    }

    #[test]
    fn a_restore_before_and_after_rows_is_a_restore_of_all_definitions() {
        let halves = together(&[Scope::Schema, Scope::PostData]);
        let whole = together(&[Scope::Roles, Scope::Definitions]);
        assert_eq!(halves, whole);
        assert!(!Scope::Definitions.reads_rows() && Scope::Definitions.makes_tables());
    }
}
