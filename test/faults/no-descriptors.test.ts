import { ChildProcess, type spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, expect, test, vi } from 'vitest';
import { ssh } from '../../src/drivers/ssh.js';
import { connect } from '../../src/initiator/connect.js';
import { noop } from '../../src/initiator/noop.js';
import { tapProcess } from '../../src/tap/relay-process.js';
import { launch } from '../../src/target/process/launch.js';
import type { DumpRequest } from '../../src/target/services/dump-request.js';
import { startDumper, startLister } from '../../src/target/services/tar.js';

/**
 * What Node makes when no descriptor is left for a pipe: a child without streams that fails later.
 */
function spawnWithoutDescriptors(program: string): ChildProcess {
  const child = new (ChildProcess as unknown as new () => ChildProcess)();
  const error = Object.assign(new Error(`spawn ${program} EMFILE`), { code: 'EMFILE' });
  process.nextTick(() => child.emit('error', error));
  return child;
}

/** Node throws when the system has no memory for a process, in place of the event. */
let isWithoutMemory = false;

vi.mock('node:child_process', async (original) => ({
  ...(await original<{ spawn: typeof spawn }>()),
  spawn: (program: string) => {
    if (!isWithoutMemory) return spawnWithoutDescriptors(program);
    throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
  },
}));

afterEach(() => {
  isWithoutMemory = false;
});

test('a command that cannot have its pipes is an error of the connection', async () => {
  await expect(lastValueFrom(connect(ssh({ host: 'db1' })).pipe(noop()))).rejects.toMatchObject({
    code: 'COMMAND_FAILED',
    message: 'Cannot start ssh: too many open files.',
  });
});

test('a tar that cannot have its pipes is thrown, and no event without a listener follows', async () => {
  const asked = { directory: { path: '/' }, excludes: [] } as unknown as DumpRequest;
  expect(() => startDumper('tar', asked, { path: '/dev/null' })).toThrow('too many open files');
  expect(() => startLister('tar')).toThrow('too many open files');
  await new Promise((resolve) => setImmediate(resolve));
});

test.each([
  ['pipes', 'too many open files'],
  ['memory', 'spawn ENOMEM'],
])('a service that the system has no %s for has failed', async (what, why) => {
  isWithoutMemory = what === 'memory';
  const started = launch({
    executable: '/usr/lib/amanda/noop',
    args: [],
    env: {},
    offset: 50,
    count: 0,
    termination: {},
  });
  await expect(lastValueFrom(started)).rejects.toMatchObject({
    code: 'SERVICE_FAILED',
    message: `cannot start /usr/lib/amanda/noop: ${why}`,
  });
});

test('a tapped program that cannot have its pipes is unreached', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const codes: number[] = [];
  const events = await lastValueFrom(
    tapProcess({
      program: 'amandad',
      args: [],
      input,
      output,
      onExit: (code) => codes.push(code),
    }).pipe(toArray()),
  );
  expect(events.at(-1)).toMatchObject({
    kind: 'closed',
    how: 'unreached',
    reason: 'Cannot start amandad: too many open files.',
  });
  expect(codes).toEqual([127]);
});
