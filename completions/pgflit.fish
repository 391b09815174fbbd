# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_pgflit_global_optspecs
    string join \n config= json progress= color= v/verbose notice d/debug z/trace q/quiet log-json log-file= log-time-format= h/help V/version
end

function __fish_pgflit_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_pgflit_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_pgflit_using_subcommand
    set -l cmd (__fish_pgflit_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c pgflit -n "__fish_pgflit_needs_command" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_needs_command" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_needs_command" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_needs_command" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_needs_command" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_needs_command" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_needs_command" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_needs_command" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_needs_command" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_needs_command" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_needs_command" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_needs_command" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_needs_command" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_needs_command" -s V -l version -d 'Print version'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "clone" -d 'Copy a database to the target; with --follow, keep it up to date from then on'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "fork" -d 'Copy a database to the target; with --follow, keep it up to date from then on'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "follow" -d 'Apply the changes made on the source since the copy, until --endpos or a signal'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "snapshot" -d 'Export a snapshot of the source, print its id and hold it until a signal'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "copy" -d 'Do one step of clone by hand'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "dump" -d 'Dump the source\'s definitions, with the filters applied'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "restore" -d 'Restore dumped definitions on the target, with the filters applied'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "list" -d 'List what the source contains and what would be copied; changes nothing'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "compare" -d 'Prove that source and target are equal; exit code 3 if they are not'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "stream" -d 'Do one step of change capture by hand'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "sentinel" -d 'Steer a running or future follow: where it ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "ping" -d 'Connect to source and target, and print versions and round-trip times'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "check" -d 'Find what would make the migration fail or lose data, before anything is changed'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "status" -d 'Show where the migration stands: tables, bytes, rates, lag, disk, cutover'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "report" -d 'Write a web page about a running or finished migration, with plots'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "proxy" -d 'Run the traffic proxy, or talk to a running one'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "cutover" -d 'Move the application\'s traffic to the target; --dry-run rehearses it'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "rollback" -d 'Move the traffic back to the source after a cutover, without losing writes'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "finalize" -d 'Make the cutover final: drop what made going back possible'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "demo" -d 'Watch a whole migration, traffic included, between two throw-away clusters on this machine'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "version" -d 'Print the version of pgflit and what it was built with'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "generate" -d 'Write man/ and completions/ under a folder'
complete -c pgflit -n "__fish_pgflit_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand clone" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand fork" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand follow" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand snapshot" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "db" -d 'Copy the whole database; the same as clone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "roles" -d 'Copy the roles of the instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "extensions" -d 'Create the extensions on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "schema" -d 'Create what rows need: schemas, types, functions, tables, views'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "data" -d 'Copy rows, large objects and sequences, then build indexes and constraints'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "table-data" -d 'Copy the rows of all tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "blobs" -d 'Copy the large objects'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "sequences" -d 'Set the sequences of the target to the values on the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "indexes" -d 'Build indexes, primary keys and unique constraints on the target; VACUUM, ANALYZE'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "constraints" -d 'Create foreign keys, triggers and what else needs rows; refresh materialized views'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and not __fish_seen_subcommand_from db roles extensions schema data table-data blobs sequences indexes constraints help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from db" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from roles" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from extensions" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from data" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from table-data" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from blobs" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from sequences" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from indexes" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l all-databases -d 'Copy every database of the source\'s instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from constraints" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "db" -d 'Copy the whole database; the same as clone'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "roles" -d 'Copy the roles of the instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "extensions" -d 'Create the extensions on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Create what rows need: schemas, types, functions, tables, views'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "data" -d 'Copy rows, large objects and sequences, then build indexes and constraints'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "table-data" -d 'Copy the rows of all tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "blobs" -d 'Copy the large objects'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "sequences" -d 'Set the sequences of the target to the values on the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "indexes" -d 'Build indexes, primary keys and unique constraints on the target; VACUUM, ANALYZE'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "constraints" -d 'Create foreign keys, triggers and what else needs rows; refresh materialized views'
complete -c pgflit -n "__fish_pgflit_using_subcommand copy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -f -a "schema" -d 'Dump the definitions of the source into the work directory, by pg_dump'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -f -a "roles" -d 'Dump the roles of the source\'s instance into the work directory, by pg_dumpall'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and not __fish_seen_subcommand_from schema roles help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from roles" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Dump the definitions of the source into the work directory, by pg_dump'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from help" -f -a "roles" -d 'Dump the roles of the source\'s instance into the work directory, by pg_dumpall'
complete -c pgflit -n "__fish_pgflit_using_subcommand dump; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "schema" -d 'Restore all definitions from the dump, pre-data and post-data'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "pre-data" -d 'Restore what rows need: schemas, types, functions, tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "post-data" -d 'Restore what needs rows: indexes, constraints, triggers'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "roles" -d 'Create the dumped roles on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "parse-list" -d 'Print the list of objects that pg_restore would restore under the filters'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and not __fish_seen_subcommand_from schema pre-data post-data roles parse-list help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from pre-data" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from post-data" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from roles" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from parse-list" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Restore all definitions from the dump, pre-data and post-data'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "pre-data" -d 'Restore what rows need: schemas, types, functions, tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "post-data" -d 'Restore what needs rows: indexes, constraints, triggers'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "roles" -d 'Create the dumped roles on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "parse-list" -d 'Print the list of objects that pg_restore would restore under the filters'
complete -c pgflit -n "__fish_pgflit_using_subcommand restore; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "databases" -d 'List the databases of the source\'s instance and their sizes'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "extensions" -d 'List the extensions of the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "collations" -d 'List the collations that databases, tables and indexes of the source use'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "tables" -d 'List the tables whose rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "table-parts" -d 'List the parts that one table is copied in'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "sequences" -d 'List the sequences whose values are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "indexes" -d 'List the indexes that are built on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "depends" -d 'List what depends on what the filters leave out'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "schema" -d 'Print the whole catalog of the source as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "progress" -d 'List how far a running or finished copy has come'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and not __fish_seen_subcommand_from databases extensions collations tables table-parts sequences indexes depends schema progress help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from databases" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l available-versions -d 'List what the server of --source could install instead: name the target there'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s Q -l requirements -d 'Print a file for --requirements'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from extensions" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from collations" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l list-skipped -d 'List what the filters leave out instead'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l without-pkey -d 'List the tables without a primary key only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from tables" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l schema-name -d 'Schema of the table [default: public]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l table-name -d 'The table' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from table-parts" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l list-skipped -d 'List what the filters leave out instead'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from sequences" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l schema-name -d 'Only in this schema' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l table-name -d 'Only of this table' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l list-skipped -d 'List what the filters leave out instead'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from indexes" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l schema-name -d 'Only in this schema' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l table-name -d 'Only of this table' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l list-skipped -d 'List what the filters leave out instead'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from depends" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l summary -d 'Print the summary of a finished copy: time, bytes and concurrency of each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l force -d 'Accepted for scripts of pgcopydb: the source is always read again'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from progress" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "databases" -d 'List the databases of the source\'s instance and their sizes'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "extensions" -d 'List the extensions of the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "collations" -d 'List the collations that databases, tables and indexes of the source use'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "tables" -d 'List the tables whose rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "table-parts" -d 'List the parts that one table is copied in'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "sequences" -d 'List the sequences whose values are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "indexes" -d 'List the indexes that are built on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "depends" -d 'List what depends on what the filters leave out'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print the whole catalog of the source as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "progress" -d 'List how far a running or finished copy has come'
complete -c pgflit -n "__fish_pgflit_using_subcommand list; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -f -a "schema" -d 'Compare the definitions of every kind of object, extras on the target included'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -f -a "data" -d 'Compare the rows of every table by count and checksum'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and not __fish_seen_subcommand_from schema data help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l table-jobs -l jobs -d 'Compare this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l table-jobs -l jobs -d 'Compare this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l sample -d 'Compare this percentage of the rows of tables with a key, chosen by the key' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l keys -d 'Print at most this many differing keys of each table' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l counts-only -d 'Compare how many rows there are, not what is in them'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s R -l resume -d 'Leave out the tables that an earlier run in the same --dir has found equal'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l at-lsn -d 'While the migration in --dir follows the source: compare both as they are at one position of its WAL, where apply stands still for a moment'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from data" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Compare the definitions of every kind of object, extras on the target included'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from help" -f -a "data" -d 'Compare the rows of every table by count and checksum'
complete -c pgflit -n "__fish_pgflit_using_subcommand compare; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "setup" -d 'Create slot, publication, origin and sentinel, ready for change capture'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "cleanup" -d 'Drop what setup created, so that the source keeps no WAL for it'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "prune" -d 'Remove captured changes from disk that the target has committed'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "prefetch" -d 'Capture changes to disk as JSON and SQL, without applying them'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "catchup" -d 'Apply the changes that were prefetched'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "replay" -d 'Capture, transform and apply changes as they come'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "receive" -d 'Capture changes from the replication slot as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "transform" -d 'Turn captured JSON changes into SQL; touches no network'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "apply" -d 'Apply SQL changes to the target, exactly once'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "sentinel" -d 'The same as pgflit sentinel'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and not __fish_seen_subcommand_from setup cleanup prune prefetch catchup replay receive transform apply sentinel help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from setup" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from cleanup" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from prefetch" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from catchup" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from replay" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l to-stdout -d 'Write the changes to stdout as well as to disk'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from receive" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l until-end -d 'End where the segments end now; the supervisor\'s way from catchup to live replay'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from transform" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l until-caught-up -d 'End once the target is at most this many bytes behind receive; the supervisor\'s way from catchup to live replay' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s N -l snapshot -d 'Use this snapshot, which someone else has exported and still holds' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l retry-for -d 'Keep trying this long when a server cannot be reached [default: 10min]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l until-end -d 'End where the segments end now, receive being stopped; the supervisor\'s way to live replay'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l yes -d 'Change on the source what capturing needs, and put it back at the end: tables without a replica identity get one'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s r -l restart -d 'Drop what an earlier run left behind, its slot and origin too, and start anew'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s R -l resume -d 'Go on where an earlier run stopped'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s C -l not-consistent -d 'With --resume and without --follow: take a new snapshot if the old one is gone'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from apply" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -f -a "setup" -d 'Create the sentinel, before anything streams'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -f -a "get" -d 'Print where streaming starts, stands and ends, or one bare value'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -f -a "set" -d 'Change where streaming starts or ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from sentinel" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "setup" -d 'Create slot, publication, origin and sentinel, ready for change capture'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "cleanup" -d 'Drop what setup created, so that the source keeps no WAL for it'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "prune" -d 'Remove captured changes from disk that the target has committed'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "prefetch" -d 'Capture changes to disk as JSON and SQL, without applying them'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "catchup" -d 'Apply the changes that were prefetched'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "replay" -d 'Capture, transform and apply changes as they come'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "receive" -d 'Capture changes from the replication slot as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "transform" -d 'Turn captured JSON changes into SQL; touches no network'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "apply" -d 'Apply SQL changes to the target, exactly once'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "sentinel" -d 'The same as pgflit sentinel'
complete -c pgflit -n "__fish_pgflit_using_subcommand stream; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -f -a "setup" -d 'Create the sentinel, before anything streams'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -f -a "get" -d 'Print where streaming starts, stands and ends, or one bare value'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -f -a "set" -d 'Change where streaming starts or ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and not __fish_seen_subcommand_from setup get set help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from setup" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l startpos -d 'Print only where streaming starts'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l endpos -d 'Print only where it ends'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l apply -d 'Print only whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l write-lsn -d 'Print only what has been received'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l flush-lsn -d 'Print only what is safe on disk'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l replay-lsn -d 'Print only what the target has committed'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s J -d 'The same as --json'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from get" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -f -a "startpos" -d 'Set where streaming starts'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -f -a "endpos" -d 'Set where streaming ends, and print that LSN'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -f -a "apply" -d 'Allow changes to be applied to the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -f -a "prefetch" -d 'Capture changes, and apply none'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from set" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from help" -f -a "setup" -d 'Create the sentinel, before anything streams'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from help" -f -a "get" -d 'Print where streaming starts, stands and ends, or one bare value'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from help" -f -a "set" -d 'Change where streaming starts or ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand sentinel; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand ping" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s F -l filters -l filter -d 'File that says which schemas, tables, indexes and extensions to include or exclude' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s J -l table-jobs -l jobs -d 'Copy this many tables, or parts of tables, at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s I -l index-jobs -d 'Build this many indexes at a time [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s j -l restore-jobs -d 'Let pg_restore use this many jobs [default: as --index-jobs]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s b -l large-objects-jobs -d 'Copy large objects with this many workers [default: 4]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s L -l split-tables-larger-than -l split-at -d 'Copy tables larger than this, such as "2 GB", in parts of this size; 0 for never [default: 10 GB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l split-max-parts -d 'Cut a table into at most this many parts [default: 1000]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s Q -l requirements -d 'JSON file with the version of each extension to create' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l copy-from -d 'Read rows from this standby of the source, paused meanwhile; may be repeated' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l source-load-limit -d 'Start no new part while the source runs more than this many active sessions' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s p -l plugin -d 'Logical decoding plugin on the source [default: pgoutput]' -r -f -a "pgoutput\t'Postgres\'s own, with a publication'
test_decoding\t'Postgres\'s contrib module'
wal2json\t'The wal2json extension'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s s -l slot-name -d 'Replication slot on the source [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s o -l origin -d 'Replication origin on the target, which remembers what is applied [default: pgflit; pgcopydb if called so]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l publication -d 'Publication on the source, for pgoutput [default: pgflit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s E -l endpos -d 'Stop after the last transaction that ends at or before this LSN' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l ack -d 'What the source may recycle: what is on this disk, or what the target has committed [default: spill]' -r -f -a "spill\t'What is synced to this disk'
apply\t'What the target has committed'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l progress-tracking -d 'Where the target keeps how far changes are applied [default: auto]' -r -f -a "auto\t'An origin if the role may use one, else a table'
origin\t'A replication origin'
table\t'A one-row table in the schema pgflit'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l on-conflict -d 'What to do when a row on the target is not as the change expects [default: stop]' -r -f -a "stop\t'Stop and name the row'
skip\t'Leave the target\'s row, count and log it'
overwrite\t'Make the target\'s row what the source says'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l apply-jobs -d 'Apply over this many connections at a time, at most 32 [default: 1]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l cdc-disk-limit -d 'Receive no more while the captured changes take this much disk, at least 64 MB [default: no limit]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l new-tables -d 'What to do about a table created on the source meanwhile [default: stop]' -r -f -a "stop\t'Stop and name the table'
warn\t'Warn and leave the table out'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l notify-lag -d 'Warn when the target is this many bytes of WAL behind, and tell when it is near again' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l skip-check -d 'Let this check only warn where it would refuse; may be repeated. See pgflit check' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l fix -d 'Fix what can be fixed, such as replica identities and parameters, after asking'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l yes -d 'With --fix: do not ask; without it: as if clone --follow had it'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s m -l estimate-table-sizes -d 'Take sizes from statistics, where they know them, instead of asking the file system'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s k -l skip-split-by-ctid -d 'Do not cut tables without an integer key by the place of their rows (ctid)'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s c -l drop-if-exists -d 'Drop on the target first what is about to be created there'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s O -l no-owner -d 'Do not restore who owns what'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s X -l no-comments -d 'Do not restore comments'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s x -l no-acl -d 'Do not restore privileges (GRANT and REVOKE)'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s y -l no-tablespaces -d 'Put everything into the default tablespace'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s e -l skip-extensions -d 'Leave extensions out, with everything they own'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s M -l skip-ext-comments -d 'Leave the comments on extensions out'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s l -l skip-collations -d 'Leave collations out'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s g -l skip-db-properties -d 'Leave the properties of the database out (ALTER DATABASE … SET)'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l roles -d 'Copy the roles of the instance first'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l no-role-passwords -d 'Leave the passwords of roles out, where pg_authid may not be read'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s B -l skip-large-objects -l skip-blobs -d 'Leave large objects out'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l refresh-matviews -d 'With --follow: refresh materialized views once more at the end position'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s U -l skip-vacuum -d 'Do not VACUUM the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s a -l skip-analyze -d 'Do not ANALYZE the tables after their rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s n -l use-copy-binary -d 'Make it an error if a table cannot be copied in binary; by default each is where that is exact'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s i -l fail-fast -d 'Stop everything at the first failure instead of finishing what can be finished'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s f -l follow -d 'Capture changes while copying and apply them until --endpos, or for ever'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s w -l wal2json-numeric-as-string -d 'Have wal2json print numbers as strings, where it can; no digit is lost either way'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s t -l create-slot -d 'Create the replication slot if it is missing'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l replay-no-op-updates -d 'Apply updates that change nothing too, for the triggers that they fire'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l compress-segments -d 'Compress closed segments with zstd'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand check" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l interval -d 'With --watch: time from one look to the next [default: 1s]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l watch -d 'Show a dashboard that follows the migration until q is pressed'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l metrics -d 'Print Prometheus metrics'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand status" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l output -d 'Write the page to this file, or with - to stdout [default: report.html in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand report" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l listen -d 'Where clients connect: an address, * for all, or the folder of a Unix socket; may be given more than once' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l tls-certificate -d 'Certificate for clients that ask for TLS, with its chain' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l tls-key -d 'Key of the certificate' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l max-server-connections -d 'Server connections at a time; further clients wait for one [default: as many as the server takes]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l reuse-port -d 'Let another process of the same proxy listen on the same addresses, for a restart under which clients stay'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "status" -d 'Print which side a running proxy serves, its clients, servers and mirrors'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "pause" -d 'Hold new transactions until resume; running ones end first'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "resume" -d 'Let held transactions go on'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "reload" -d 'Read the configuration file again, without losing a connection'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "mirrors" -d 'Print what each mirror has received, dropped and answered differently'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "clients" -d 'Print each client, what it runs and what its session holds'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "check-config" -d 'Read the configuration file and say what is wrong with it'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and not __fish_seen_subcommand_from status pause resume reload mirrors clients check-config help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from status" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l timeout -d 'Wait no longer than this for running transactions, and then end the pause in any case' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from mirrors" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from clients" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from check-config" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "status" -d 'Print which side a running proxy serves, its clients, servers and mirrors'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "pause" -d 'Hold new transactions until resume; running ones end first'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "resume" -d 'Let held transactions go on'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "reload" -d 'Read the configuration file again, without losing a connection'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "mirrors" -d 'Print what each mirror has received, dropped and answered differently'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "clients" -d 'Print each client, what it runs and what its session holds'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "check-config" -d 'Read the configuration file and say what is wrong with it'
complete -c pgflit -n "__fish_pgflit_using_subcommand proxy; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l max-lag -d 'Bytes of WAL that the other side may be behind when clients are held [default: 1 MB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l drain-limit -d 'How long open transactions are waited for [default: 2s]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l max-pause -d 'How long clients may be held [default: 5s]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l on-timeout -d 'What comes when clients have been held for as long as they may' -r -f -a "abort\t'Everything is undone; clients go on where they were'
cutover\t'They are held until it is done'"
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l attempts -d 'How often it is tried, with growing pauses between [default: 3]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l fence -d 'How others are kept out of the side that traffic leaves' -r -f -a "connections\t'They are ended, and may not connect'
read-only\t'They are ended, and new sessions are read-only unless they say otherwise'
terminate\t'They are ended; they may connect again'"
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l without-changes-of -d 'Go on although this table was updated or deleted from without a replica identity, so that no stream carries it: that stays behind; may be given more than once' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l require-shadow -d 'Move traffic only if every mirror has shown this, such as \'errors=0,p99_ratio<1.5,min_samples=1000\'' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l switch-command -d 'What moves it then, run by a shell once everything is on the other side; PGFLIT_SERVES says which that is' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l by-mirror -d 'No stream has fed the target: this mirror of the proxy has, in mode all; there is no rollback then' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l dry-run -d 'Rehearse: do everything up to the decision, then undo it, and tell how long clients waited'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l no-reverse -d 'No stream back: there is no rollback then'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l no-proxy -d 'The application is moved by other means than pgflit proxy'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l yes -d 'Do not ask before doing it'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l allow-different-counts -d 'With --by-mirror: count rows before clients are held, only tell where the numbers differ, and go on'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand cutover" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l max-lag -d 'Bytes of WAL that the other side may be behind when clients are held [default: 1 MB]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l drain-limit -d 'How long open transactions are waited for [default: 2s]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l max-pause -d 'How long clients may be held [default: 5s]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l on-timeout -d 'What comes when clients have been held for as long as they may' -r -f -a "abort\t'Everything is undone; clients go on where they were'
cutover\t'They are held until it is done'"
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l attempts -d 'How often it is tried, with growing pauses between [default: 3]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l fence -d 'How others are kept out of the side that traffic leaves' -r -f -a "connections\t'They are ended, and may not connect'
read-only\t'They are ended, and new sessions are read-only unless they say otherwise'
terminate\t'They are ended; they may connect again'"
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l without-changes-of -d 'Go on although this table was updated or deleted from without a replica identity, so that no stream carries it: that stays behind; may be given more than once' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l require-shadow -d 'Move traffic only if every mirror has shown this, such as \'errors=0,p99_ratio<1.5,min_samples=1000\'' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l switch-command -d 'What moves it then, run by a shell once everything is on the other side; PGFLIT_SERVES says which that is' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l dry-run -d 'Rehearse: do everything up to the decision, then undo it, and tell how long clients waited'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l no-reverse -d 'No stream back: there is no rollback then'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l no-proxy -d 'The application is moved by other means than pgflit proxy'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l yes -d 'Do not ask before doing it'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand rollback" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l socket -d 'Control socket of the proxy [default: the one in the work directory]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s S -l source -d 'Connection string of the source, as a URI or as keywords; libpq\'s PG* variables fill in the rest' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s T -l target -d 'Connection string of the target, as a URI or as keywords' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l notify -d 'Post each stage, warning, error and the end as JSON to this URL' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l notify-command -d 'Run this by a shell for each of them, with the same JSON on its stdin' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l lift-fence -d 'Let the old side take writes again, which nobody carries anywhere'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l yes -d 'Do not ask before doing it'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand finalize" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l scale -d 'Size of the database, in units of 100,000 rows or about 15 MB' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l seconds -d 'Seconds of traffic under live replay, after the base copy and before traffic is moved' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s D -l dir -d 'Folder for everything this migration keeps on disk [default: ${TMPDIR:-/tmp}/pgflit]' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l keep -d 'Leave the two clusters running at the end, until Ctrl-C'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand demo" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand completions" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand version" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l config -d 'Take options that are not given from this TOML file; its keys are their long names' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l progress -d 'How to show progress on stderr [default: auto]' -r -f -a "auto\t'Bars on a terminal, plain lines elsewhere'
bar\t'Bars that redraw themselves'
plain\t'One line at a sensible interval'
json\t'One JSON object at a sensible interval'
off\t'Nothing'"
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l color -d 'When to use colours [default: auto]' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always, even into a pipe'
never\t'Never'"
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l log-file -d 'Append the log to this file as well' -r -F
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l log-time-format -d 'Write times in the log in this strftime format [default: %Y-%m-%d %H:%M:%S]' -r
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l json -d 'Print results as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -s v -l verbose -d 'Log what is decided and why; twice for each step'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l notice -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -s d -l debug -d 'The same as --verbose'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -s z -l trace -d 'The same as --verbose twice'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -s q -l quiet -d 'Log warnings and errors only'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -l log-json -d 'Log one JSON object a line'
complete -c pgflit -n "__fish_pgflit_using_subcommand generate" -s h -l help -d 'Print this help; "pgflit help COMMAND" says more about each option'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "clone" -d 'Copy a database to the target; with --follow, keep it up to date from then on'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "follow" -d 'Apply the changes made on the source since the copy, until --endpos or a signal'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "snapshot" -d 'Export a snapshot of the source, print its id and hold it until a signal'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "copy" -d 'Do one step of clone by hand'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "dump" -d 'Dump the source\'s definitions, with the filters applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "restore" -d 'Restore dumped definitions on the target, with the filters applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "list" -d 'List what the source contains and what would be copied; changes nothing'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "compare" -d 'Prove that source and target are equal; exit code 3 if they are not'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "stream" -d 'Do one step of change capture by hand'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "sentinel" -d 'Steer a running or future follow: where it ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "ping" -d 'Connect to source and target, and print versions and round-trip times'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "check" -d 'Find what would make the migration fail or lose data, before anything is changed'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "status" -d 'Show where the migration stands: tables, bytes, rates, lag, disk, cutover'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "report" -d 'Write a web page about a running or finished migration, with plots'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "proxy" -d 'Run the traffic proxy, or talk to a running one'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "cutover" -d 'Move the application\'s traffic to the target; --dry-run rehearses it'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "rollback" -d 'Move the traffic back to the source after a cutover, without losing writes'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "finalize" -d 'Make the cutover final: drop what made going back possible'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "demo" -d 'Watch a whole migration, traffic included, between two throw-away clusters on this machine'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "completions" -d 'Print the completion script of a shell'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "version" -d 'Print the version of pgflit and what it was built with'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "generate" -d 'Write man/ and completions/ under a folder'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and not __fish_seen_subcommand_from clone follow snapshot copy dump restore list compare stream sentinel ping check status report proxy cutover rollback finalize demo completions version generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "db" -d 'Copy the whole database; the same as clone'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "roles" -d 'Copy the roles of the instance'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "extensions" -d 'Create the extensions on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "schema" -d 'Create what rows need: schemas, types, functions, tables, views'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "data" -d 'Copy rows, large objects and sequences, then build indexes and constraints'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "table-data" -d 'Copy the rows of all tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "blobs" -d 'Copy the large objects'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "sequences" -d 'Set the sequences of the target to the values on the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "indexes" -d 'Build indexes, primary keys and unique constraints on the target; VACUUM, ANALYZE'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from copy" -f -a "constraints" -d 'Create foreign keys, triggers and what else needs rows; refresh materialized views'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from dump" -f -a "schema" -d 'Dump the definitions of the source into the work directory, by pg_dump'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from dump" -f -a "roles" -d 'Dump the roles of the source\'s instance into the work directory, by pg_dumpall'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from restore" -f -a "schema" -d 'Restore all definitions from the dump, pre-data and post-data'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from restore" -f -a "pre-data" -d 'Restore what rows need: schemas, types, functions, tables'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from restore" -f -a "post-data" -d 'Restore what needs rows: indexes, constraints, triggers'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from restore" -f -a "roles" -d 'Create the dumped roles on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from restore" -f -a "parse-list" -d 'Print the list of objects that pg_restore would restore under the filters'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "databases" -d 'List the databases of the source\'s instance and their sizes'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "extensions" -d 'List the extensions of the source'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "collations" -d 'List the collations that databases, tables and indexes of the source use'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "tables" -d 'List the tables whose rows are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "table-parts" -d 'List the parts that one table is copied in'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "sequences" -d 'List the sequences whose values are copied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "indexes" -d 'List the indexes that are built on the target'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "depends" -d 'List what depends on what the filters leave out'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "schema" -d 'Print the whole catalog of the source as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from list" -f -a "progress" -d 'List how far a running or finished copy has come'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from compare" -f -a "schema" -d 'Compare the definitions of every kind of object, extras on the target included'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from compare" -f -a "data" -d 'Compare the rows of every table by count and checksum'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "setup" -d 'Create slot, publication, origin and sentinel, ready for change capture'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "cleanup" -d 'Drop what setup created, so that the source keeps no WAL for it'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "prune" -d 'Remove captured changes from disk that the target has committed'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "prefetch" -d 'Capture changes to disk as JSON and SQL, without applying them'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "catchup" -d 'Apply the changes that were prefetched'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "replay" -d 'Capture, transform and apply changes as they come'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "receive" -d 'Capture changes from the replication slot as JSON'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "transform" -d 'Turn captured JSON changes into SQL; touches no network'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "apply" -d 'Apply SQL changes to the target, exactly once'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from stream" -f -a "sentinel" -d 'The same as pgflit sentinel'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from sentinel" -f -a "setup" -d 'Create the sentinel, before anything streams'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from sentinel" -f -a "get" -d 'Print where streaming starts, stands and ends, or one bare value'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from sentinel" -f -a "set" -d 'Change where streaming starts or ends, and whether changes are applied'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "status" -d 'Print which side a running proxy serves, its clients, servers and mirrors'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "pause" -d 'Hold new transactions until resume; running ones end first'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "resume" -d 'Let held transactions go on'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "reload" -d 'Read the configuration file again, without losing a connection'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "mirrors" -d 'Print what each mirror has received, dropped and answered differently'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "clients" -d 'Print each client, what it runs and what its session holds'
complete -c pgflit -n "__fish_pgflit_using_subcommand help; and __fish_seen_subcommand_from proxy" -f -a "check-config" -d 'Read the configuration file and say what is wrong with it'
