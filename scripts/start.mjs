// `npm start -- …` is `rx-amanda …` from this checkout; without arguments it is the demonstration.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setup } from './setup.mjs';
import { root, say } from './tools.mjs';

const failure = await setup();
if (failure === undefined) {
  const given = process.argv.slice(2);
  start(given.length > 0 ? given : ['demo']);
} else {
  say(failure);
  process.exitCode = 1;
}

function start(words) {
  // npm runs scripts at the top of the checkout; names of files on the command line are meant from where npm was called.
  const child = spawn(process.execPath, [join(root, 'dist/cli/rx-amanda/rx-amanda.js'), ...words], {
    stdio: 'inherit',
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
  // A terminal signals the whole process group, the program too: it decides how to end, and this waits for it. What is sent to this process alone is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('close', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
