#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { Subject } from 'rxjs';
import { takeActivation, waitingActivation } from '../../transport/activation.js';
import { closeInherited } from '../../transport/inherited-descriptors.js';
import { printable } from '../../wire/text.js';
import { amandad } from './amandad.js';
import { isStderrFree } from './amandad-log.js';
import { becomeUser } from './amandad-user.js';

/** 128 and the number of the signal. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

const activation = takeActivation();
// As amandad does: a pipe of the starter must end for its reader, and services get no more.
closeInherited([
  ...(activation.kind === 'socket' ? [activation.descriptor] : []),
  ...process.argv.flatMap((word) => {
    const [, number] = /(?:^|=)\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(word) ?? [];
    return number === undefined ? [] : [Number(number)];
  }),
]);

const interrupted = new Subject<number>();
for (const [signal, code] of Object.entries(exitCodes))
  process.on(signal, () => interrupted.next(code));
const hangup = new Subject<void>();
process.on('SIGHUP', () => hangup.next());

// Files of a service belong to its user alone, as with amandad.
process.umask(0o077);
void amandad(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  // Not process.stderr: opening it would take over a descriptor that may be the connection.
  printError: (line) => {
    try {
      writeSync(2, `${printable(line, Infinity)}\n`);
    } catch {
      // A closed standard error must not end a backup.
    }
  },
  isStderrFree,
  interrupted,
  hangup,
  activation,
  waiting: waitingActivation,
  installation: '/etc/amanda',
  becomeUser,
}).then((code) => {
  process.exitCode = code;
  // A second signal does not wait for a slow peer. Services that had to end have had their SIGKILL.
  if (code > 128) process.exit();
});
