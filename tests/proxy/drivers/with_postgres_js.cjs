// postgres.js, which pipelines everything and asks for types by itself.
const assert = require('node:assert');
const fs = require('node:fs');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const postgres = require('postgres');

const uri = process.env.URI;

const tests = {
  async pipelines(sql) {
    const all = await Promise.all([...Array(500).keys()].map((n) => sql`SELECT ${n}::int AS n`));
    assert.deepStrictEqual(all.map((rows) => rows[0].n), [...Array(500).keys()]);
    await assert.rejects(sql`SELECT ${1}::int / 0`, { code: '22012' });
  },
  async transactions(sql) {
    await sql.begin(async (sql) => {
      await sql`CREATE TEMP TABLE t (id int PRIMARY KEY, v jsonb) ON COMMIT DROP`;
      await sql`INSERT INTO t ${sql([{ id: 1, v: sql.json({ a: 1 }) }, { id: 2, v: sql.json([]) }])}`;
      await sql.savepoint((sql) => sql`INSERT INTO t VALUES (1, null)`).catch((error) => {
        assert.strictEqual(error.code, '23505');
      });
      assert.strictEqual((await sql`SELECT v FROM t WHERE id = 1`)[0].v.a, 1);
    });
  },
  async cursors(sql) {
    let total = 0;
    await sql`SELECT g FROM generate_series(1, 1000) g`.cursor(99, (rows) => {
      total += rows.reduce((sum, row) => sum + row.g, 0);
    });
    assert.strictEqual(total, 500500);
  },
  async copies(sql) {
    await sql`CREATE TABLE copied (id int)`;
    const lines = Readable.from((function* () {
      for (let number = 0; number < 10000; number++) yield `${number}\n`;
    })());
    await pipeline(lines, await sql`COPY copied FROM STDIN`.writable());
    let count = 0;
    for await (const chunk of await sql`COPY copied TO STDOUT`.readable()) count += chunk.toString().split('\n').length - 1;
    assert.strictEqual(count, 10000);
    await sql`DROP TABLE copied`;
  },
  async notifications(sql) {
    let stop;
    const heard = new Promise((resolve) => {
      stop = sql.listen('news', resolve);
    });
    await stop;
    await sql.notify('news', 'hello');
    assert.strictEqual(await heard, 'hello');
    await (await stop).unlisten();
  },
  async cancel() {
    // In a pool of its own: this driver's next query may wait for ever behind a cancelled one, at a
    // server without a proxy, too.
    const sql = postgres(uri, { max: 1, onnotice: () => {} });
    const sleeping = sql`SELECT pg_sleep(60)`;
    setTimeout(() => sleeping.cancel(), 200);
    await assert.rejects(sleeping, { code: '57014' });
    await sql.end({ timeout: 1 });
  },
};

(async () => {
  const sql = postgres(uri, { max: 4, onnotice: () => {} });
  for (const [name, test] of Object.entries(tests)) {
    await test(sql);
    console.log(name, 'ok');
  }
  await sql.end();
  const ssl = { ca: fs.readFileSync(process.env.CA), servername: 'localhost' };
  const encrypted = postgres(uri, { max: 2, ssl });
  assert.strictEqual((await encrypted`SELECT length(${'x'.repeat(1000000)}) AS n`)[0].n, 1000000);
  await encrypted.end();
  console.log('encrypted ok');
  process.exit(0);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
