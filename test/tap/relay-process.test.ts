import { PassThrough } from 'node:stream';
import { Subject } from 'rxjs';
import { describe, expect, it, test } from 'vitest';
import { tapProcess } from '../../src/tap/relay-process.js';
import type { TapEvent } from '../../src/tap/tap-event.js';

/** A tapped process: its input and output, the events and its exit code. */
interface Tapped {
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly events: TapEvent[];
  readonly exits: number[];
  readonly until: Subject<void>;
  readonly stop: () => void;
  readonly completed: Promise<void>;
}

function tapped(program: string, ...args: readonly string[]): Tapped {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const [events, exits]: [TapEvent[], number[]] = [[], []];
  const until = new Subject<void>();
  let stop = (): void => undefined;
  const completed = new Promise<void>((complete, error) => {
    const subscription = tapProcess({
      program,
      args,
      input,
      output,
      until,
      onExit: (code) => exits.push(code),
    }).subscribe({
      next: (event) =>
        events.push(event.kind === 'bytes' ? { ...event, chunk: event.chunk.slice() } : event),
      complete,
      error,
    });
    stop = () => subscription.unsubscribe();
  });
  return { input, output, events, exits, until, stop, completed };
}

const node = (script: string) => tapped(process.execPath, '-e', script);
const shell = (script: string) => tapped('/bin/sh', '-c', script);

async function textOf(output: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of output) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** The bytes and other events of one direction. */
function passed({ events }: Tapped, sender: 'initiator' | 'target'): string {
  return events
    .flatMap((event) =>
      event.kind === 'bytes' && event.sender === sender
        ? [Buffer.from(event.chunk).toString()]
        : [],
    )
    .join('');
}

describe('a tapped program', () => {
  it('is given what it is sent, answers, and ends by itself', async () => {
    const cat = shell('cat; exit 7');
    const text = textOf(cat.output);
    cat.input.end('to and fro');
    await cat.completed;
    expect(await text).toBe('to and fro');
    expect([passed(cat, 'initiator'), passed(cat, 'target')]).toEqual(['to and fro', 'to and fro']);
    expect(cat.events[0]).toMatchObject({
      kind: 'opened',
      connection: 1,
      peer: { address: undefined, port: undefined },
      target: '/bin/sh',
    });
    expect(cat.events.filter(({ kind }) => kind === 'ended')).toEqual([
      expect.objectContaining({ sender: 'initiator' }),
      expect.objectContaining({ sender: 'target' }),
    ]);
    expect(cat.events.at(-1)).toMatchObject({
      kind: 'closed',
      how: 'ended',
      by: undefined,
      reason: '/bin/sh ended with exit code 7.',
    });
    expect(cat.exits).toEqual([7]);
  });

  it('has all passed on that it wrote before it ended', async () => {
    const much = node('process.stdout.write("x".repeat(3_000_000), () => process.exit(0))');
    const text = textOf(much.output);
    await much.completed;
    expect((await text).length).toBe(3_000_000);
    expect(passed(much, 'target').length).toBe(3_000_000);
    expect(much.events.at(-1)).toMatchObject({ kind: 'closed', how: 'ended' });
  });

  it('is slowed by a reader that does not read', async () => {
    const much = node('process.stdout.write("x".repeat(30_000_000), () => process.exit(0))');
    while (much.output.writableLength < much.output.writableHighWaterMark)
      await new Promise((resolve) => setImmediate(resolve));
    expect(passed(much, 'target').length).toBeLessThan(1_000_000);
    expect((await textOf(much.output)).length).toBe(30_000_000);
    await much.completed;
  });

  it('may go on writing when its initiator has ended', async () => {
    const late = shell('cat >/dev/null; echo late');
    const text = textOf(late.output);
    late.input.end();
    expect(await text).toBe('late\n');
    await late.completed;
  });

  it('is asked to end, and the exit code says how it did', async () => {
    const waits = shell('echo ready; exec sleep 1000');
    waits.output.once('data', () => waits.until.next());
    await waits.completed;
    expect(waits.events.at(-1)).toMatchObject({
      kind: 'closed',
      how: 'reset',
      by: 'target',
      reason: '/bin/sh was ended by SIGTERM.',
    });
    expect(waits.exits).toEqual([143]);
  });

  it('ends on unsubscribing', async () => {
    const waits = shell('echo $$; exec sleep 1000');
    const pid = await new Promise<number>((resolve) =>
      waits.output.once('data', (data: Buffer) => resolve(Number(data.toString()))),
    );
    waits.stop();
    while (isAlive(pid)) await new Promise((resolve) => setImmediate(resolve));
    expect(waits.exits).toEqual([]);
  });

  it('that does not exist has the exit code that a shell gives', async () => {
    const none = tapped('/no/such/program');
    await none.completed;
    expect(none.events.map(({ kind }) => kind)).toEqual(['opened', 'closed']);
    expect(none.events.at(-1)).toMatchObject({
      how: 'unreached',
      reason: expect.stringContaining('Cannot start /no/such/program') as string,
    });
    expect(none.exits).toEqual([127]);
  });

  test.each([
    ['has closed its input', 'exec <&-; echo gone; exec sleep 1000'],
    ['has ended', 'echo gone'],
  ])('that %s is no error of who still sends', async (_, script) => {
    const deaf = shell(script);
    const over = new Promise((resolve) => deaf.input.once('close', resolve));
    deaf.output.once('data', () => {
      const more = (): void => {
        if (!deaf.input.destroyed) deaf.input.write('x'.repeat(100_000), () => setImmediate(more));
      };
      more();
    });
    await over;
    deaf.until.next();
    await deaf.completed;
    expect(deaf.exits).toHaveLength(1);
  });

  it('learns that its reader has gone', async () => {
    const endless = shell('trap "" TERM; exec yes 2>/dev/null');
    endless.output.once('data', () => endless.output.destroy());
    await endless.completed;
    expect(endless.events.at(-1)).toMatchObject({ kind: 'closed' });
    expect([1, 141]).toContain(endless.exits[0]);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
