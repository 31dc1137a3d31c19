#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { amandad } from './amandad.js';
import { isStderrFree } from './amandad-log.js';
import { signals } from './surroundings.js';
import { printable } from '../wire/text.js';

// What a service leaves behind is its user's alone, as with amandad.
process.umask(0o077);
process.exitCode = await amandad(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  // Not process.stderr: opening that takes over a descriptor that may be the connection's.
  complain: (line) => writeSync(2, `${printable(line, Infinity)}\n`),
  isStderrFree,
  interrupted: signals,
});
