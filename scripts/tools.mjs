// What the scripts in this folder share. Plain Node, no dependencies: they run before anything is installed.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The top of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** The oldest Node that package.json's `engines` allows. */
const OLDEST_NODE = [20, 19];

/** Says what is going on, on standard error: standard output belongs to the program that is started. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the process with a sentence when this Node is too old to run any of this. */
export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  say(`rx-amanda needs Node ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** The path of a program that came with the node modules, to be run by Node itself: this works where there is no shell and no PATH. */
export function moduleFile(path) {
  return fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
}

/** Runs npm, as `run` does: the one that started us, else the one on the PATH. */
export function npm(words, options) {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js')
    ? run(process.execPath, [script, ...words], options)
    : run('npm', words, options);
}

/** Set once somebody wants us to end: what would still be started is not. */
let interrupted;

/**
 * Runs a program to its end; resolves to `{ status, output, error }` and never rejects.
 *
 * `show` passes the output on while it is running (on standard error with `'stderr'`), else it is only collected. The program gets a process group of its own, so that
 * the time limit (`seconds`, default 600) and a signal to us reach its children too.
 */
export function run(
  command,
  parameters,
  { show = false, seconds = 600, cwd = root, env = process.env } = {},
) {
  if (interrupted !== undefined)
    return Promise.resolve({ status: 1, output: '', error: interrupted });
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const pieces = [];
    let error;
    const take = (stream, to) =>
      stream.on('data', (piece) => {
        pieces.push(piece);
        if (show) to.write(piece);
      });
    take(child.stdout, show === 'stderr' ? process.stderr : process.stdout);
    take(child.stderr, process.stderr);

    const end = (reason) => {
      error ??= reason;
      killGroup(child.pid);
    };
    const limit = setTimeout(
      () => end(`took longer than ${seconds} s and was ended`),
      seconds * 1000,
    );
    const stop = (signal) => {
      interrupted = `ended by ${signal}`;
      end(interrupted);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, stop);

    const finish = (status) => {
      clearTimeout(limit);
      for (const signal of signals) process.off(signal, stop);
      resolve({
        status: error === undefined ? status : 1,
        output: Buffer.concat(pieces).toString(),
        error,
      });
    };
    child.on('error', (failure) => {
      error ??= `${command} could not be started: ${failure.message}`;
      finish(1);
    });
    child.on('close', (code, signal) => {
      if (signal !== null) error ??= `ended by ${signal}`;
      finish(code ?? 1);
    });
  });
}

function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
