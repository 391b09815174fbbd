// One connection stays across a cutover: its statement, its settings.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

public class StaysWithJdbc {
    private static int ask(PreparedStatement statement, int number) throws Exception {
        statement.setInt(1, number);
        try (ResultSet rows = statement.executeQuery()) {
            rows.next();
            String kept = rows.getString(2) + " " + rows.getString(3) + " " + rows.getInt(4);
            if (!kept.equals("seven Asia/Tokyo " + number)) {
                throw new AssertionError(kept);
            }
            return rows.getInt(1);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        properties.setProperty("user", "app");
        properties.setProperty("prepareThreshold", "1");
        try (Connection session = DriverManager.getConnection(System.getenv("JDBC_URI"), properties)) {
            try (Statement statement = session.createStatement()) {
                statement.execute("SET app.tenant = 'seven'");
                statement.execute("SET timezone = 'Asia/Tokyo'");
            }
            PreparedStatement statement = session.prepareStatement(
                "SELECT current_setting('port')::int, current_setting('app.tenant'),"
                    + " current_setting('timezone'), ?::int");
            int before = 0;
            for (int number = 0; number < 10; number++) {
                before = ask(statement, number);
            }
            System.out.println("ready");
            System.out.flush();
            new BufferedReader(new InputStreamReader(System.in)).readLine();
            for (int number = 0; number < 10; number++) {
                if (ask(statement, number) == before) {
                    throw new AssertionError("it is where it was");
                }
            }
            session.setAutoCommit(false);
            try (Statement insert = session.createStatement()) {
                insert.execute("INSERT INTO t VALUES (4, 'jdbc')");
            }
            session.commit();
        }
    }
}
