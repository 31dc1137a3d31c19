/**
 * Many targets in a process: `fleet-target.mjs COUNT BYTES`.
 * Target n listens on 127.1.(n / 250).(n % 250 + 1). Its sendbackup sends BYTES bytes.
 */
import { createHash } from 'node:crypto';
import { merge, of } from 'rxjs';
import { listenBsdtcp, noopService, reply, serve } from '../../dist/index.js';
import { crc32c } from '../../dist/wire/index.js';
import { addressOf } from '../fleet-addresses.mjs';
import { fail } from './telling.mjs';

const [count, bytes] = process.argv.slice(2).map(Number);
const PIECE = 262_144;
const piece = new Uint8Array(
  createHash('shake256', { outputLength: PIECE }).update('fleet').digest(),
);
let crc = crc32c(new Uint8Array(0));
for (let left = bytes; left > 0; left -= PIECE)
  crc = crc32c(piece.subarray(0, Math.min(left, PIECE)), crc);
const checksum = `${(crc >>> 0).toString(16).padStart(8, '0')}:${bytes}`;

async function* image() {
  for (let left = bytes; left > 0; left -= PIECE) yield piece.subarray(0, Math.min(left, PIECE));
}

const messages = [
  'sendbackup: info BACKUP=fleet\n',
  'sendbackup: info end\n',
  `sendbackup: size ${Math.ceil(bytes / 1024)}\n`,
  `sendbackup: native-CRC ${checksum}\n`,
  `sendbackup: client-CRC ${checksum}\n`,
  'sendbackup: end\n',
];
const sendbackup = () =>
  of(
    reply({
      lines: ['OPTIONS features=ff;'],
      streams: { DATA: () => image(), MESG: () => of(Buffer.from(messages.join(''))) },
    }),
  );

// The first listener finds a port, and all others use it on their addresses.
const services = { noop: noopService(), sendbackup };
const options = { authorize: () => of({ kind: 'allowed' }) };
const listen = (index, port, onListening) =>
  serve(listenBsdtcp({ host: addressOf(index), port, onListening }), services, options);
let ready = 0;
const told = (port) => {
  ready += 1;
  if (ready === count) process.send({ kind: 'port', port });
};
listen(0, 0, (port) => {
  told(port);
  merge(
    ...Array.from({ length: count - 1 }, (_, index) => listen(index + 1, port, () => told(port))),
  ).subscribe({ error: fail });
}).subscribe({ error: fail });
process.on('disconnect', () => process.exit(0));
