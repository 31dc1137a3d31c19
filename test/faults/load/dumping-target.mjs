// A target that dumps with tar, in a process of its own, from the build of this checkout. It tells
// its port over IPC.
import {
  allowed,
  listenBsdtcp,
  noopService,
  sendbackupService,
  serve,
} from '../../../dist/index.js';
import { of } from 'rxjs';

const [tree] = process.argv.slice(2);

serve(
  listenBsdtcp({
    host: '127.0.0.1',
    port: 0,
    onListening: (port) => process.send({ kind: 'listening', port }),
  }),
  { noop: noopService(), sendbackup: sendbackupService({ roots: [tree] }) },
  { authorize: () => of(allowed) },
).subscribe({
  error: (error) => {
    process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  },
});

// Who started it is gone: so is the load.
process.on('disconnect', () => process.exit());
