// JDBC: server-prepared statements after a few executions, batches, fetch sizes, COPY, large
// objects, savepoints, cancel, notifications, TLS.

import java.io.StringReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

public class WithJdbc {
    private static Connection connect(String... settings) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("USER_NAME"));
        properties.setProperty("password", System.getenv("PASSWORD"));
        for (int at = 0; at < settings.length; at += 2) {
            properties.setProperty(settings[at], settings[at + 1]);
        }
        return DriverManager.getConnection(System.getenv("JDBC_URI"), properties);
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static void preparedAndBatches() throws SQLException {
        for (String mode : new String[] {"extended", "extendedForPrepared", "extendedCacheEverything", "simple"}) {
            try (Connection session = connect("preferQueryMode", mode, "reWriteBatchedInserts", "true")) {
                session.createStatement().execute("CREATE TEMP TABLE t (id int, v text)");
                try (PreparedStatement insert = session.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
                    for (int id = 0; id < 2000; id++) {
                        insert.setInt(1, id);
                        insert.setString(2, "v" + id);
                        insert.addBatch();
                    }
                    check(insert.executeBatch().length == 2000, "batch");
                }
                try (PreparedStatement select = session.prepareStatement("SELECT v FROM t WHERE id = ?")) {
                    for (int id = 0; id < 20; id++) {
                        select.setInt(1, id);
                        ResultSet row = select.executeQuery();
                        check(row.next() && row.getString(1).equals("v" + id), "row");
                    }
                }
            }
        }
    }

    private static void fetchSizesAndSavepoints() throws SQLException {
        try (Connection session = connect()) {
            session.setAutoCommit(false);
            Statement statement = session.createStatement();
            statement.setFetchSize(50);
            long total = 0;
            ResultSet rows = statement.executeQuery("SELECT generate_series(1, 1000)");
            while (rows.next()) {
                total += rows.getInt(1);
            }
            check(total == 500500, "sum");
            Savepoint savepoint = session.setSavepoint();
            try {
                session.createStatement().execute("SELECT 1 / 0");
                check(false, "no error");
            } catch (SQLException error) {
                check(error.getSQLState().equals("22012"), error.getSQLState());
            }
            session.rollback(savepoint);
            session.commit();
        }
    }

    private static void copiesAndLargeObjects() throws Exception {
        try (Connection session = connect()) {
            session.createStatement().execute("CREATE TEMP TABLE c (id int)");
            CopyManager copies = session.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int id = 0; id < 10000; id++) {
                lines.append(id).append('\n');
            }
            check(copies.copyIn("COPY c FROM STDIN", new StringReader(lines.toString())) == 10000, "copy");
            java.io.StringWriter out = new java.io.StringWriter();
            check(copies.copyOut("COPY c TO STDOUT", out) == 10000, "copy out");
            session.setAutoCommit(false);
            LargeObjectManager objects = session.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = objects.createLO(LargeObjectManager.READ | LargeObjectManager.WRITE);
            LargeObject object = objects.open(oid, LargeObjectManager.WRITE);
            object.write(new byte[300000]);
            object.close();
            object = objects.open(oid, LargeObjectManager.READ);
            check(object.read(400000).length == 300000, "large object");
            object.close();
            objects.delete(oid);
            session.commit();
        }
    }

    private static void cancelAndNotifications() throws Exception {
        try (Connection session = connect(); Connection other = connect()) {
            Statement statement = session.createStatement();
            Thread canceller = new Thread(() -> {
                try {
                    Thread.sleep(300);
                    statement.cancel();
                } catch (Exception error) {
                    throw new AssertionError(error);
                }
            });
            canceller.start();
            try {
                statement.execute("SELECT pg_sleep(60)");
                check(false, "not cancelled");
            } catch (SQLException error) {
                check(error.getSQLState().equals("57014"), error.getSQLState());
            }
            canceller.join();
            session.createStatement().execute("LISTEN news");
            other.createStatement().execute("NOTIFY news, 'hello'");
            PGNotification[] heard = session.unwrap(PGConnection.class).getNotifications(30000);
            check(heard != null && heard[0].getParameter().equals("hello"), "notification");
        }
    }

    private static void encrypted() throws SQLException {
        try (Connection session = connect("sslmode", "verify-ca", "sslrootcert", System.getenv("CA"))) {
            PreparedStatement select = session.prepareStatement("SELECT length(?)");
            select.setString(1, "x".repeat(1000000));
            ResultSet row = select.executeQuery();
            check(row.next() && row.getInt(1) == 1000000, "length");
        }
    }

    public static void main(String[] arguments) throws Exception {
        preparedAndBatches();
        fetchSizesAndSavepoints();
        copiesAndLargeObjects();
        cancelAndNotifications();
        encrypted();
        System.out.println("ok");
    }
}
