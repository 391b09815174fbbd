// node-postgres: queries, cursors, COPY streams, notifications, cancel, a pool, TLS.
const assert = require('node:assert');
const fs = require('node:fs');
const { pipeline } = require('node:stream/promises');
const { Readable } = require('node:stream');
const { Client, Pool } = require('pg');
const Cursor = require('pg-cursor');
const copy = require('pg-copy-streams');

const connectionString = process.env.URI;

async function session(work, settings = {}) {
  const client = new Client({ connectionString, ...settings });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const tests = {
  async queries() {
    await session(async (client) => {
      for (let number = 0; number < 50; number++) {
        const { rows } = await client.query({ name: 'next', text: 'SELECT $1::int + 1 AS next', values: [number] });
        assert.strictEqual(rows[0].next, number + 1);
      }
      const results = await client.query('SELECT 1 AS a; SELECT 2 AS b');
      assert.deepStrictEqual(results.map((result) => result.rows[0]), [{ a: 1 }, { b: 2 }]);
      const many = await Promise.all([...Array(200).keys()].map((n) => client.query('SELECT $1::int AS n', [n])));
      assert.deepStrictEqual(many.map((result) => result.rows[0].n), [...Array(200).keys()]);
      await assert.rejects(client.query('SELECT 1 / 0'), { code: '22012' });
      await client.query('BEGIN');
      await client.query('SAVEPOINT s');
      await assert.rejects(client.query('SELECT nonsense'), { code: '42703' });
      await client.query('ROLLBACK TO s');
      await client.query('COMMIT');
    });
  },
  async cursors() {
    await session(async (client) => {
      const cursor = client.query(new Cursor('SELECT g FROM generate_series(1, $1) g', [1000]));
      let total = 0;
      for (let rows = await cursor.read(77); rows.length > 0; rows = await cursor.read(77)) {
        total += rows.reduce((sum, row) => sum + row.g, 0);
      }
      assert.strictEqual(total, 500500);
      await cursor.close();
    });
  },
  async copies() {
    await session(async (client) => {
      await client.query('CREATE TEMP TABLE c (id int, v text)');
      function* lines() {
        for (let number = 0; number < 20000; number++) yield `${number}\tvalue\n`;
      }
      await pipeline(Readable.from(lines()), client.query(copy.from('COPY c FROM STDIN')));
      let bytes = 0;
      for await (const chunk of client.query(copy.to('COPY c TO STDOUT'))) bytes += chunk.length;
      assert.ok(bytes > 200000);
      const { rows } = await client.query('SELECT count(*)::int AS n FROM c');
      assert.strictEqual(rows[0].n, 20000);
    });
  },
  async notifications() {
    await session(async (listener) => {
      const heard = new Promise((resolve) => listener.on('notification', resolve));
      await listener.query('LISTEN news');
      await session((sender) => sender.query("SELECT pg_notify('news', 'hello')"));
      assert.strictEqual((await heard).payload, 'hello');
    });
  },
  async cancel() {
    await session(async (client) => {
      const sleeping = client.query('SELECT pg_sleep(60)').catch((error) => error);
      const { processID } = client;
      await session((other) => other.query('SELECT pg_cancel_backend($1)', [processID]));
      assert.strictEqual((await sleeping).code, '57014');
      await client.query('SELECT 1');
    });
  },
  async pools() {
    const pool = new Pool({ connectionString, max: 10 });
    const all = await Promise.all([...Array(300).keys()].map((n) => pool.query('SELECT $1::int AS n', [n])));
    assert.strictEqual(all.length, 300);
    await pool.end();
  },
  async encrypted() {
    const ssl = { ca: fs.readFileSync(process.env.CA), rejectUnauthorized: true, servername: 'localhost' };
    await session(async (client) => {
      const { rows } = await client.query('SELECT length($1) AS n', ['x'.repeat(1000000)]);
      assert.strictEqual(rows[0].n, 1000000);
    }, { ssl, enableChannelBinding: true });
  },
};

(async () => {
  for (const [name, test] of Object.entries(tests)) {
    await test();
    console.log(name, 'ok');
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
