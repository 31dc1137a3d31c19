#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { fromEvent, map, merge } from 'rxjs';
import { takeActivation, waitingActivation } from '../../transport/activation.js';
import { printable } from '../../wire/text.js';
import { amandad } from './amandad.js';
import { isStderrFree } from './amandad-log.js';
import { becomeUser } from './amandad-user.js';

/** 128 and the signal's number. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

// What a service leaves behind is its user's alone, as with amandad.
process.umask(0o077);
void amandad(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  // Not process.stderr: opening that takes over a descriptor that may be the connection's.
  complain: (line) => {
    try {
      writeSync(2, `${printable(line, Infinity)}\n`);
    } catch {
      // Nobody listens any more, and that must not end a backup.
    }
  },
  isStderrFree,
  interrupted: merge(
    ...Object.entries(exitCodes).map(([signal, code]) =>
      fromEvent(process, signal).pipe(map(() => code)),
    ),
  ),
  hangup: fromEvent(process, 'SIGHUP'),
  activation: takeActivation(),
  waiting: waitingActivation,
  installation: '/etc/amanda',
  becomeUser,
}).then((code) => {
  process.exitCode = code;
  // Who has asked twice does not wait for a peer that is slow to hang up; what had to be ended has its SIGKILL by now.
  if (code > 128) process.exit();
});
