// What the scripts in this folder share. Plain Node: they run before anything is installed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The top of the checkout. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Writes to standard error; standard output belongs to the program that is started. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Ends the process with a sentence if this Node is older than package.json's `engines` allows. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const [, oldestMajor, oldestMinor] = /^>=(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  say(`rx-amanda needs Node ${engines.node.slice(2)} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/**
 * The path of a program of the node modules, to be run by Node itself. That works without a shell
 * and without a PATH.
 */
export function moduleFile(path) {
  return fileURLToPath(new URL(`../node_modules/${path}`, import.meta.url));
}

/** Runs npm, as `run` does: the npm that started this script, else the one on the PATH. */
export function npm(words, options) {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js')
    ? run(process.execPath, [script, ...words], options)
    : run('npm', words, options);
}

/** Set after a signal: nothing more is started. */
let interrupted;

/**
 * Runs a program to its end; resolves to `{ status, output, error }` and never rejects.
 *
 * `show` passes the output on while the program runs. The program has a process group of its own,
 * so that the time limit (`seconds`, default 600) and a signal end its children too.
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
    take(child.stdout, process.stdout);
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
