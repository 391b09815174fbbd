// One connection stays across a cutover: its statement, its settings.

const assert = require('node:assert');
const readline = require('node:readline');
const { Client } = require('pg');

async function main() {
  const session = new Client({ connectionString: process.env.URI });
  session.on('error', (error) => { throw error; });
  await session.connect();
  await session.query("SET app.tenant = 'seven'");
  await session.query("SET timezone = 'Asia/Tokyo'");
  const ask = (number) => session.query({
    name: 'where',
    text: `SELECT current_setting('port')::int AS port, current_setting('app.tenant') AS tenant,
                  current_setting('timezone') AS zone, $1::int AS number`,
    values: [number],
  });
  const before = (await ask(0)).rows[0];
  console.log('ready');
  const lines = readline.createInterface({ input: process.stdin });
  await new Promise((resolve) => lines.once('line', resolve));
  lines.close();
  for (let number = 0; number < 10; number += 1) {
    const after = (await ask(number)).rows[0];
    assert.notStrictEqual(after.port, before.port);
    assert.deepStrictEqual([after.tenant, after.zone, after.number], ['seven', 'Asia/Tokyo', number]);
  }
  await session.query("INSERT INTO t VALUES (3, 'node-postgres')");
  await session.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
