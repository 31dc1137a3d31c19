// A target in a process of its own, from the build of this checkout: `target.mjs
// '{"maxConnections":6000}'`, told its port and asked over IPC.
import {
  processService,
  allowed,
  backupServices,
  listenBsdtcp,
  listenSsl,
  refused,
  reply,
  serve,
} from '../../../dist/index.js';
import { NEVER, Observable, of, throwError } from 'rxjs';

const { maxConnections, port: asked = 0, sslDir, ...options } = JSON.parse(process.argv[2] ?? '{}');
const chunk = Buffer.alloc(65_536, 'rx-amanda ');

/** A disk is named by its size in KiB; a name that ends in `!` breaks off there. */
const services = backupServices(({ disk }) => {
  const [, kilobytes, broken] = /^\/(\d+)(!?)$/.exec(disk) ?? [];
  const size = Number(kilobytes) * 1024;
  return kilobytes === undefined
    ? undefined
    : {
        estimate: () => size,
        dump: () => ({ data: (list) => bytes(size, broken === '!', list) }),
      };
});

function* bytes(size, isBroken, list) {
  list('/file');
  for (let left = size; left > 0; left -= chunk.length) yield chunk.subarray(0, left);
  if (isBroken) throw new Error('the source broke off');
}

let running = 0;
let mostRunning = 0;
/** Never answers, and says how many of it run. */
const waiting = () =>
  new Observable((out) => {
    mostRunning = Math.max(mostRunning, (running += 1));
    out.add(() => (running -= 1));
  });

const place = {
  port: asked,
  host: '127.0.0.1',
  maxConnections,
  onListening: (port) => process.send({ kind: 'listening', port }),
};

serve(
  sslDir === undefined ? listenBsdtcp(place) : listenSsl({ ...place, sslDir }),
  {
    ...services,
    waiting,
    /** Four streams whose bytes are never read. */
    unread: () =>
      of(reply({ streams: { A: () => NEVER, B: () => NEVER, C: () => NEVER, D: () => NEVER } })),
    failing: () => throwError(() => new Error('no')),
    endless: processService('/usr/bin/yes', { beforeTerm: 50, beforeKill: 50 }),
    lines: processService('/usr/bin/env', { beforeTerm: 50, beforeKill: 50 }),
  },
  {
    ...options,
    authorize: ({ user }) => of(user === 'stranger' ? refused('a stranger') : allowed),
  },
).subscribe({
  error: (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
});

process.on('message', (asked) => {
  if (asked === 'running') process.send({ kind: 'running', running, mostRunning });
});
// Who started it is gone: so is the load.
process.on('disconnect', () => process.exit());
