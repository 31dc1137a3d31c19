// PostgreSQL as an entry of Amanda's disk list. Needs `npm install rx-amanda pg pg-copy-streams`.
//
//   node examples/postgres-backup.mjs serve DATABASE PORT JOURNAL
//   node examples/postgres-backup.mjs load DATABASE FOLDER
//
// The entry has the name of the database; PGHOST and so on say where it is. All tables of a dump
// come from one snapshot. A higher level has the rows of transactions since its base, and all keys,
// so that a restore removes deleted rows. A table without a primary key is dumped whole at each
// level. `load` fills an empty database from the folder into which amrecover has restored.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import * as amanda from 'rx-amanda';

const [command, database, ...words] = process.argv.slice(2);
const pool = new pg.Pool({ database });
const first = async (from, sql) => (await from.query(sql)).rows[0];
const partSize = 16 * 1024 * 1024;

const sizeQuery = 'SELECT pg_database_size(current_database())::float AS size';
const oldestQuery = 'SELECT pg_snapshot_xmin(pg_current_snapshot())::text::float AS oldest';
const tableQuery = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name,
    (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY k.place)
     FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k (number, place), pg_attribute a
     WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.number
    ) AS keys
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  ORDER BY 1`;

/** Each table is read at the server's pace, a part at a time. */
async function* filesOf(client, level, since) {
  const rows = (sql) => client.query(copyTo(`COPY (${sql}) TO STDOUT (FORMAT csv)`));
  const schema = spawn('pg_dump', ['--schema-only', '--no-owner', database]);
  yield { name: `level${level}/schema.sql`, content: schema.stdout, partSize };
  for (const { name, keys } of (await client.query(tableQuery)).rows) {
    const folder = `level${level}/${encodeURIComponent(name)}`;
    const isWhole = since === undefined || keys === null;
    // Transactions that had not ended at the base count as later: their rows come twice at most.
    const changed = isWhole ? '' : ` WHERE age(xmin) <= age('${since % 2 ** 32}'::xid)`;
    const content = rows(`SELECT * FROM ${name}${changed}`);
    yield { name: `${folder}/${isWhole ? 'whole' : 'changed'}.csv`, content, partSize };
    if (!isWhole)
      yield { name: `${folder}/keys.csv`, content: rows(`SELECT ${keys} FROM ${name}`), partSize };
  }
}

function shop() {
  let client;
  return {
    // A tenth has changed, for want of better knowledge.
    estimate: async (level) => (await first(pool, sizeQuery)).size / (level === 0 ? 1 : 10),
    dump: async (level, base) => {
      client = await pool.connect();
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { oldest } = await first(client, oldestQuery);
      // The numbers of transactions wrap; from half of them on, nothing can be compared.
      const since = oldest - base?.state < 2 ** 31 ? base.state : undefined;
      return { ...amanda.tarArchive({ files: filesOf(client, level, since) }), state: oldest };
    },
    done: (level, { kind }) => {
      console.log(`level ${level} of ${database}: ${kind}`);
      client.release(true); // ends the query, too, when the server has left
    },
  };
}

/** The parts of a file in their order. */
async function* partsOf(file) {
  const part = (number) => `${file}.${String(number).padStart(6, '0')}`;
  for (let number = 1; existsSync(part(number)); number += 1) yield* createReadStream(part(number));
}

async function load(folder) {
  const levels = readdirSync(folder).sort();
  const psql = spawn('psql', ['-q', database], { stdio: ['pipe', 'ignore', 'inherit'] });
  await pipeline(partsOf(join(folder, levels.at(-1), 'schema.sql')), psql.stdin);
  await new Promise((resolve) => psql.once('close', resolve));
  const client = await pool.connect();
  const fill = (table, file) =>
    pipeline(partsOf(file), client.query(copyFrom(`COPY ${table} FROM STDIN (FORMAT csv)`)));
  await client.query("BEGIN; SET session_replication_role = 'replica'");
  const { rows: tables } = await client.query(tableQuery);
  for (const level of levels)
    for (const { name, keys } of tables) {
      const place = join(folder, level, encodeURIComponent(name));
      if (existsSync(join(place, 'whole.csv.000001'))) {
        await client.query(`DELETE FROM ${name}`);
        await fill(name, join(place, 'whole.csv'));
      } else if (existsSync(join(place, 'keys.csv.000001'))) {
        await client.query(`CREATE TEMP TABLE changed (LIKE ${name});
          CREATE TEMP TABLE kept AS SELECT ${keys} FROM ${name} LIMIT 0`);
        await fill('changed', join(place, 'changed.csv'));
        await fill('kept', join(place, 'keys.csv'));
        await client.query(`
          DELETE FROM ${name} WHERE (${keys}) NOT IN (TABLE kept)
            OR (${keys}) IN (SELECT ${keys} FROM changed);
          INSERT INTO ${name} SELECT * FROM changed; DROP TABLE changed, kept`);
      }
    }
  await client.query('COMMIT');
  client.release();
}

if (command === 'load') await load(words[0]).finally(() => pool.end());
else {
  const [port, journal] = words;
  const find = ({ disk }) => (disk === database ? shop() : undefined);
  const onListening = (number) => console.log(`listening on port ${number}`);
  const listener = amanda.listenBsdtcp({ port: Number(port), host: '127.0.0.1', onListening });
  const services = amanda.backupServices(find, { journal: amanda.fileJournal(journal) });
  const authorize = amanda.authorize({ rules: 'localhost backup amdump\n' });
  amanda.serve(listener, services, { authorize }).subscribe(({ reason, error }) => {
    if (reason || error) console.log(amanda.printable(reason ?? String(error)));
  });
}
