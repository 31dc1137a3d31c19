// A program that is a client of Amanda: it serves its own tables for backup, and has neither an
// amandad, nor a tar, nor files.
//
//   node examples/table-backup.mjs [PORT [ADDRESS [SERVER]]]        default: 10080 127.0.0.1
// localhost
//
// SERVER, the host of the Amanda server, has two entries for it in the disklist, of a dumptype with
// auth "bsdtcp" and program "GNUTAR":
//
//   localhost  shop   app-tables
//   localhost  stock  app-tables
//
// amdump backs them up; `setdisk shop`, `add customers`, `extract` in amrecover give a table back
// as files.
import {
  authorize,
  backupServices,
  describePeer,
  listenBsdtcp,
  printable,
  serve,
  tarArchive,
} from 'rx-amanda';

const [port = '10080', address = '127.0.0.1', server = 'localhost'] = process.argv.slice(2);

/** What this program keeps in memory; another one would ask its database. */
const databases = new Map([
  [
    'shop',
    {
      customers: rows(2500, (id) => ({ id, name: `Customer ${id}` })),
      orders: rows(7000, (id) => ({ id, customer: id % 2500 })),
    },
  ],
  ['stock', { articles: rows(300, (id) => ({ id, name: `Größe ${id}` })) }],
]);

/**
 * Tables as files of 1,000 rows, a JSON object a line. Each is made when the one before it has been
 * sent.
 */
async function* filesOf(tables) {
  for (const [table, all] of Object.entries(tables)) {
    for (let first = 0; first < all.length; first += 1000) {
      const lines = all.slice(first, first + 1000).map((row) => `${JSON.stringify(row)}\n`);
      yield { name: `${table}/${first}.jsonl`, content: lines.join('') };
    }
  }
}

/** What there is to back up under a name of the server's disklist. */
const services = backupServices(({ disk }) => {
  const tables = databases.get(disk);
  if (tables === undefined) return undefined;
  const count = Object.values(tables).reduce((sum, { length }) => sum + length, 0);
  return { estimate: () => 30 * count, dump: () => tarArchive({ files: filesOf(tables) }) };
});

serve(listenBsdtcp({ port: Number(port), host: address, onListening }), services, {
  // As in an .amandahosts: user backup of that host may have dumps; all others are refused.
  authorize: authorize({ rules: `${server} backup amdump\n` }),
}).subscribe(log);

function onListening(number) {
  console.log(`listening on port ${number}`);
}

function log(event) {
  const peer = describePeer(event.peer);
  if (event.kind === 'admitted') console.log(`${peer} asks for ${event.request.service}`);
  if (event.kind === 'refused') console.log(`${peer} is refused: ${printable(event.reason)}`);
  if (event.kind === 'ended')
    console.log(
      `${peer}: ${event.outcome}${event.error ? `, ${printable(event.error.message)}` : ''}`,
    );
}

function rows(count, row) {
  return Array.from({ length: count }, (_, id) => row(id));
}
