/**
 * A dump into a file. `dump.mjs send BYTES` sends a raw one on each connection.
 * `dump.mjs pipe|onread FILE PORT` receives it with plain Node. `dump.mjs receiveDump FILE PORT`
 * uses the library with a sink that writes with Node's promises.
 */
import { createWriteStream, openSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect as connectSocket, createServer } from 'node:net';
import { fail, pour, tellPort } from './telling.mjs';

const [role, first, port] = process.argv.slice(2);
const host = '127.0.0.1';

const roles = {
  send() {
    const server = createServer((socket) => pour(socket, Number(first), 262_144)).listen(
      0,
      host,
      () => tellPort(server.address().port),
    );
    process.on('disconnect', () => process.exit(0));
  },
  pipe() {
    connectSocket({ host, port }).pipe(createWriteStream(first));
  },
  onread() {
    const file = openSync(first, 'w');
    connectSocket({
      host,
      port,
      onread: {
        buffer: new Uint8Array(262_144),
        callback: (length, buffer) => writeSync(file, buffer, 0, length) > 0,
      },
    });
  },
  async receiveDump() {
    const { bsdtcp, connect, dump, receiveDump } = await import('../../dist/index.js');
    const file = await open(first, 'w');
    const data = (chunk) => file.write(chunk);
    const dle = {
      program: 'GNUTAR',
      disk: '/x',
      levels: [{ level: 0 }],
      auth: 'bsdtcp',
      index: false,
    };
    connect(bsdtcp({ host: '127.1.0.1', port: Number(port), reservedPorts: false }))
      .pipe(
        dump({ dle }),
        receiveDump(() => ({ data })),
      )
      .subscribe({ error: fail });
  },
};
roles[role]();
