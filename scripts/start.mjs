// `npm start -- …` is `rx-amanda …` from this checkout. Without words it runs the demonstration.
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
  // npm runs scripts at the top of the checkout, but names of files count from INIT_CWD.
  const child = spawn(process.execPath, [join(root, 'dist/cli/rx-amanda/rx-amanda.js'), ...words], {
    stdio: 'inherit',
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
  // A terminal signals the whole process group. The program decides how to end, and this process
  // waits for it. Other signals reach this process alone, so it passes them on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('close', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
