import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type { Check } from '../../src/doctor/check.js';
import { rxAmanda } from './program.js';
import type { User } from './sandbox.js';
import { client, goodHosts, server, type LabHost, type TwoHosts } from './two-hosts.js';

/** What `rx-amanda doctor --json` says. */
export interface Diagnosis {
  readonly first: string | null;
  readonly checks: readonly (Check & { readonly doc: string | null })[];
  readonly exitCode: number;
  /** From the start of the program to its report. */
  readonly seconds: number;
}

/** A fault, and the finding that has to come first. */
export interface FaultCase {
  readonly fault: string;
  /** Injects the fault into two healthy hosts without a target. */
  readonly inject: (lab: TwoHosts) => Promise<void> | void;
  /** Options besides `--json`, and the host; default `client.lab`. */
  readonly args?: readonly string[];
  /** Undoes what the end of all programs and fresh files do not. */
  readonly undo?: (lab: TwoHosts) => void;
  /** The user that runs the doctor; default root. */
  readonly user?: User;
  /** The host that it runs on; default the server. */
  readonly on?: keyof Omit<TwoHosts, 'close'>;
  /** The anchor of the first finding. */
  readonly kind: string;
  /** What the first finding says or advises. */
  readonly says?: RegExp;
  /** Seconds; default 5. */
  readonly within?: number;
  readonly exitCode: 0 | 1 | 3;
}

/** Puts both hosts back into health. */
export async function heal({ server: ours, client: theirs }: TwoHosts): Promise<void> {
  await Promise.all([ours.stop(), theirs.stop()]);
  for (const host of [ours, theirs]) {
    host.hosts(goodHosts);
    host.nameServers();
  }
  theirs.sandbox.allow([`${server.name} root amdump`]);
  ours.sandbox.allow(['localhost backup']);
}

interface DiagnoseOptions {
  readonly format?: readonly string[];
  readonly user?: User;
  /** The host that it runs on; default the server. */
  readonly on?: keyof Omit<TwoHosts, 'close'>;
}

/** Runs the doctor. */
export async function diagnose(
  lab: TwoHosts,
  args: readonly string[],
  { format = ['--json'], user = 'root', on = 'server' }: DiagnoseOptions = {},
): Promise<Diagnosis & { readonly text: string }> {
  const started = performance.now();
  const child = lab[on].start(process.execPath, [rxAmanda, 'doctor', ...format, ...args], user);
  // The connection ends in good order after the report.
  const reported = once(child.stdout as Readable, 'data').then(() => performance.now());
  const [text, errors] = await outputsOf(child);
  if (text === '') throw new Error(`doctor said nothing: ${errors}`);
  const seconds = ((await reported) - started) / 1_000;
  if (format[0] !== '--json')
    return { first: null, checks: [], exitCode: child.exitCode ?? -1, seconds, text };
  const { first, checks } = JSON.parse(text) as Diagnosis;
  return { first, checks, exitCode: child.exitCode ?? -1, seconds, text };
}

/** The findings among checks, as `id kind`. */
export function findingsOf({ checks }: Diagnosis): readonly string[] {
  return checks
    .filter(({ status }) => status === 'failed' || status === 'warning')
    .map(({ id, doc, message }) => `${id} ${doc ?? ''}: ${message}`);
}

/** Injects a fault and expects it to be named first, in time. */
export async function expectNamedFirst(lab: TwoHosts, fault: FaultCase): Promise<void> {
  await fault.inject(lab);
  const { args = [client.name], user = 'root', on = 'server' } = fault;
  const found = await diagnose(lab, args, { user, on }).finally(() => fault.undo?.(lab));
  const first = found.checks.find(({ id }) => id === found.first);
  expect(first?.doc, findingsOf(found).join('\n')).toBe(`docs/doctor.md#${fault.kind}`);
  if (fault.says !== undefined)
    expect([first?.message, first?.fix, ...(first?.evidence ?? [])].join('\n')).toMatch(fault.says);
  expect(found.exitCode).toBe(fault.exitCode);
  expect(found.seconds).toBeLessThan(fault.within ?? 5);
  rows.push(`${fault.fault} | ${found.first} ${fault.kind} | ${found.seconds.toFixed(1)} s`);
}

const rows: string[] = [];

/** Prints a line for each fault that was named first: the fault, the finding, the seconds. */
export function printFaults(): void {
  console.log(`${rows.length} faults, each named first:\n${rows.join('\n')}`);
}

async function outputsOf(child: ChildProcess): Promise<readonly [string, string]> {
  let output = '';
  let messages = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (messages += chunk.toString()));
  await once(child, 'close');
  return [output, messages];
}

/** What a line of xinetd's configuration may be instead. */
export type XinetdLines = Readonly<Record<string, string>>;

/** Debian's lines for amandad. */
const xinetdLines: XinetdLines = {
  type: 'UNLISTED',
  disable: 'no',
  flags: 'IPv4',
  port: '10080',
  socket_type: 'stream',
  protocol: 'tcp',
  wait: 'no',
  user: 'backup',
  group: 'disk',
  groups: 'yes',
  server: '/usr/lib/amanda/amandad',
  server_args: '-auth=bsdtcp amdump amindexd amidxtaped senddiscover',
};

/** Starts the real xinetd with amandad; the lines replace those of Debian's file. */
export async function startAmandad(host: LabHost, lines: XinetdLines = {}): Promise<void> {
  const file = join(host.sandbox.directory, 'xinetd.conf');
  const all = Object.entries({ ...xinetdLines, ...lines });
  writeFileSync(
    file,
    `service amanda\n{\n${all.map(([key, value]) => `    ${key} = ${value}\n`).join('')}}\n`,
  );
  // It opens its log by name, which takes a pipe of the shell's: Node's own are sockets.
  const script = `/usr/sbin/xinetd -dontfork -f ${file} -filelog /dev/stderr -pidfile ${file}.pid 2>&1 | cat >&2`;
  await whenSaid(host.start('/bin/sh', ['-c', script]), /Started working/);
}

/** What the name server of a host knows. */
export interface NameServer {
  /** Addresses of names, or the names that they are aliases of. */
  readonly names?: Readonly<Record<string, string>>;
  /** Names of addresses. */
  readonly addresses?: Readonly<Record<string, string>>;
  /** Never answer. */
  readonly silent?: boolean;
}

const library = pathToFileURL(join(rxAmanda, '../../../index.js')).href;
const rxjs = pathToFileURL(join(rxAmanda, '../../../../node_modules/rxjs/dist/cjs/index.js')).href;

const nameServer = fileURLToPath(new URL('./name-server.mjs', import.meta.url));

/** Starts a name server on a host, which then asks it. Its /etc/hosts has localhost alone. */
export async function startNameServer(host: LabHost, knows: NameServer): Promise<void> {
  host.hosts(goodHosts.slice(0, 1));
  host.nameServers('127.0.0.1');
  await whenSaid(host.start(process.execPath, [nameServer, JSON.stringify(knows)]), /listening/);
}

/** Starts a TCP server that treats each socket by a line of JavaScript, on port 10080. */
export async function startServer(host: LabHost, onSocket: string, port = 10_080): Promise<void> {
  const script = `
const server = require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  ${onSocket}
});
server.listen(${port}, '0.0.0.0', () => console.error('listening'));`;
  await whenSaid(host.start(process.execPath, ['-e', script]), /listening/);
}

/** Replies to noop as an Amanda 3.5.1 does; for {@link startFake}. */
export const plainNoop = `of(reply({ lines: ['OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;'] }))`;

/** Starts a target on a host whose noop, verdict and sendsize are expressions of JavaScript. */
export async function startFake(
  host: LabHost,
  noop: string,
  verdict = `{ kind: 'allowed' }`,
  sendsize = 'of(reply())',
): Promise<void> {
  const script = `
import { listenBsdtcp, reply, serve } from '${library}';
import rxjs from '${rxjs}';
const { delay, NEVER, of } = rxjs;
serve(
  listenBsdtcp({ port: 10080, host: '0.0.0.0', onListening: () => console.error('listening') }),
  { noop: () => ${noop}, selfcheck: () => of(reply()), sendsize: (request) => ${sendsize}, sendbackup: () => of(reply()) },
  { authorize: () => of(${verdict}) },
).subscribe();`;
  const words = ['--input-type=module', '-e', script];
  await whenSaid(host.start(process.execPath, words), /listening/);
}

/** Waits until a program has said a line on standard error. */
export async function whenSaid(child: ChildProcess, line: RegExp): Promise<void> {
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr as Readable }).on('line', (text) => {
      said.push(text);
      if (line.test(text)) resolve();
    });
    child.on('exit', (code, signal) =>
      reject(new Error(`It ended with ${code ?? signal}:\n${said.join('\n')}`)),
    );
  });
}
