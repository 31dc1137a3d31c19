import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import { parseListen, parseTarget } from '../../src/cli/terminal/host-port.js';
import { TapView } from '../../src/cli/rx-amanda/tap/tap-view.js';
import type { Change } from '../../src/diagram/model.js';
import type { TapChange } from '../../src/tap/tap-change.js';
import { dial, listen, readAll } from '../tap/ends.js';
import { fakeEnvironment } from './fake-environment.js';

describe('the addresses of a tap', () => {
  test.each([
    ['10081', { host: '127.0.0.1', port: 10_081 }],
    [':10081', { host: '127.0.0.1', port: 10_081 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['192.0.2.1:99', { host: '192.0.2.1', port: 99 }],
    ['[::1]:10081', { host: '::1', port: 10_081 }],
  ])('LISTEN %s', (text, place) => {
    expect(parseListen(text)).toEqual(place);
  });

  test.each([
    ['db1.example.com', { host: 'db1.example.com', port: 10_080 }],
    ['db1.example.com:99', { host: 'db1.example.com', port: 99 }],
    ['::1', { host: '::1', port: 10_080 }],
    ['[::1]:99', { host: '::1', port: 99 }],
    ['[::1]', { host: '::1', port: 10_080 }],
  ])('TARGET %s', (text, place) => {
    expect(parseTarget(text, 10_080)).toEqual(place);
  });

  it.each(['', 'host', '70000', 'host:', 'host:x', '[::1]', '[::1]x', 'a:b:1'])(
    'LISTEN "%s" is refused',
    (text) => {
      expect(() => parseListen(text)).toThrow(/LISTEN/);
    },
  );

  it.each(['', 'host:0', 'host:65536', 'a]b'])('TARGET "%s" is refused', (text) => {
    expect(() => parseTarget(text, 10_080)).toThrow(/TARGET/);
  });
});

describe('the live view of a tap', () => {
  const opened: TapChange = {
    kind: 'opened',
    connection: 1,
    at: 1_000,
    peer: { address: '192.0.2.7', port: 600 },
    target: 'db1:10080',
  };
  const stream = {
    name: 'connection 1/DATA',
    kind: 'stream',
    direction: 'in',
    handle: 499_999,
    under: 'connection 1',
  } as const;
  const chunk = (at: number, bytes = 32_768, preview?: Uint8Array): TapChange =>
    told({
      kind: 'event',
      lane: stream.name,
      event: { kind: 'chunk', at, bytes, label: '', ...(preview === undefined ? {} : { preview }) },
    });
  const told = (change: Change): TapChange => ({ kind: 'change', connection: 1, change });
  const texts = (lines: readonly string[]) =>
    lines.map((line) => line.replace(/^\d\d:\d\d:\d\d\.\d\d\d /, ''));

  it('joins what a stream carries, so that a backup does not flood the terminal', () => {
    const view = new TapView();
    view.lines(opened);
    view.lines(told({ kind: 'lane', at: 0, lane: stream }));
    expect(texts(view.lines(chunk(0)))).toEqual(['#1 ← DATA 32.0 KiB']);
    for (let at = 1; at < 1_000; at += 1) expect(view.lines(chunk(at))).toEqual([]);
    expect(texts(view.pending(2_000))).toEqual(['#1 ← DATA 31.2 MiB in 999 chunks, 31.2 MiB/s']);
    expect(view.pending(3_000)).toEqual([]);
    expect(texts(view.lines(chunk(5_000)))).toEqual(['#1 ← DATA 32.0 KiB']);
  });

  it('shows what was not shown yet before the end of a stream, and of a connection', () => {
    const view = new TapView();
    view.lines(opened);
    view.lines(told({ kind: 'lane', at: 0, lane: stream }));
    view.lines(chunk(0));
    view.lines(chunk(500, 1_024));
    expect(
      texts(
        view.lines(
          told({
            kind: 'event',
            lane: stream.name,
            event: { kind: 'close', at: 500, label: 'close' },
          }),
        ),
      ),
    ).toEqual(['#1 ← DATA 1.00 KiB in 1 chunk, 2.00 KiB/s', '#1 ← DATA ends']);
    view.lines(chunk(600, 1_024));
    expect(
      texts(
        view.lines({
          kind: 'closed',
          connection: 1,
          at: 1_700,
          how: 'ended',
          reason: 'Both sides have ended.',
        }),
      ),
    ).toEqual([
      expect.stringContaining('#1 ← DATA 1.00 KiB in 1 chunk'),
      '#1   closed: Both sides have ended.',
    ]);
  });

  it('makes the text of peers safe for a terminal, and leaves out what is no text', () => {
    const view = new TapView({ unicode: false });
    view.lines(opened);
    view.lines(told({ kind: 'lane', at: 0, lane: { ...stream, name: 'connection 1/\u001b[2J' } }));
    const evil: TapChange = told({
      kind: 'event',
      lane: 'connection 1/\u001b[2J',
      event: { kind: 'chunk', at: 0, bytes: 9, label: '', preview: Buffer.from('a\u009b31m\nbcd') },
    });
    expect(texts(view.lines(evil))).toEqual(['#1 < \\x1b[2J 9 B "a\\x9b31m\\nbcd"']);
    const binary = told({
      kind: 'event',
      lane: 'connection 1/\u001b[2J',
      event: { kind: 'chunk', at: 2_000, bytes: 3, label: '', preview: Buffer.of(0, 1, 255) },
    });
    expect(texts(view.lines(binary))).toEqual(['#1 < \\x1b[2J 3 B']);
  });

  it('has colours only on request', () => {
    const nak: TapChange = told({
      kind: 'event',
      lane: 'connection 1',
      event: { kind: 'packet', type: 'NAK', at: 0, bytes: 9, label: 'NAK no', direction: 'in' },
    });
    const lane: TapChange = told({
      kind: 'lane',
      at: 0,
      lane: { ...stream, kind: 'connection', name: 'connection 1', under: undefined },
    });
    const [plain, colored] = [new TapView(), new TapView({ color: true })].map((view) =>
      [opened, lane, nak].flatMap((change) => view.lines(change)).at(-1),
    );
    expect(plain).not.toContain('\u001b');
    expect(colored).toContain('\u001b[31mNAK no\u001b[0m');
  });
});

/** REQ noop on handle 1, with its 8-byte header. */
const REQ_NOOP = Buffer.from(
  `000000190000000100${Buffer.from('SERVICE noop\nOPTIONS ;\n\0').toString('hex')}`,
  'hex',
);

describe('rx-amanda tap', () => {
  it('shows one connection, saves it and ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-tap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { port, next } = await listen();
    const { environment, out, err } = fakeEnvironment();
    const file = (name: string): string => join(folder, name);
    const code = main(
      [
        'tap',
        '0',
        `127.0.0.1:${port}`,
        '--once',
        '--svg',
        file('a.svg'),
        '--json',
        file('a.jsonl'),
        '--pcap',
        file('a.pcap'),
        '--log',
        file('a.log'),
        '--text',
      ],
      environment,
    );
    while (!err().includes('\n')) await new Promise((resolve) => setImmediate(resolve));
    const accepted = next();
    const initiator = await dial(Number(/listening on 127\.0\.0\.1 port (\d+)/.exec(err())?.[1]));
    const target = await accepted;
    const asked = readAll(target);
    initiator.end(REQ_NOOP);
    expect((await asked).text).toBe(REQ_NOOP.toString());
    target.end();
    initiator.resume();
    expect(await code).toBe(0);
    expect(out()).toMatch(/#1 . REQ noop\n/);
    expect(out()).toContain('rx-amanda tap\n1 connection');
    expect(readFileSync(file('a.log'), 'utf8')).toMatch(/#1 → REQ noop\n/);
    expect(readFileSync(file('a.svg'), 'utf8')).toContain('noop');
    expect(readFileSync(file('a.jsonl'), 'utf8')).toMatch(
      /^\{"format":"rx-amanda recording","version":1\}\n\{"kind":"opened"/,
    );
    expect(readFileSync(file('a.pcap')).includes(REQ_NOOP)).toBe(true);
    expect(readdirSync(folder).toSorted()).toEqual(['a.jsonl', 'a.log', 'a.pcap', 'a.svg']);
  });

  it('ends in good order when it is interrupted, with what it has seen', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-tap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const { port, next } = await listen();
    const { environment, out, err, interrupt } = fakeEnvironment();
    const code = main(
      ['tap', '0', `127.0.0.1:${port}`, '--json', join(folder, 'a.jsonl')],
      environment,
    );
    while (!err().includes('\n')) await new Promise((resolve) => setImmediate(resolve));
    const accepted = next();
    const initiator = await dial(Number(/port (\d+),/.exec(err())?.[1]));
    const target = await accepted;
    initiator.write(REQ_NOOP);
    await once(target.resume(), 'data');
    interrupt.next(130);
    expect(await code).toBe(0);
    expect(out()).toContain('closed: The tap has ended');
    expect(readFileSync(join(folder, 'a.jsonl'), 'utf8')).toContain('"how":"stopped"');
  });

  it('keeps the files that are whole when another one cannot get its name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rx-amanda-tap-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const names = Object.fromEntries(
      ['svg', 'json', 'pcap'].map((kind) => [kind, join(folder, `a.${kind}`)] as const),
    );
    const { port, next } = await listen();
    const { environment, err } = fakeEnvironment();
    const files = Object.entries(names).flatMap(([kind, name]) => [`--${kind}`, name]);
    const code = main(['tap', '0', `127.0.0.1:${port}`, '--once', ...files], environment);
    while (!err().includes('\n')) await new Promise((resolve) => setImmediate(resolve));
    const accepted = next();
    const initiator = await dial(Number(/port (\d+),/.exec(err())?.[1]));
    const target = await accepted;
    // Another program takes two of the names during the tap.
    for (const kind of ['svg', 'json']) writeFileSync(join(folder, `a.${kind}`), 'theirs');
    initiator.resume().end(REQ_NOOP);
    await readAll(target);
    target.end();
    expect(await code).toBe(1);
    expect(readFileSync(join(folder, 'a.svg'), 'utf8')).toBe('theirs');
    expect(readFileSync(join(folder, `a.json.partial-${process.pid}`), 'utf8')).toContain(
      '"how":"ended"',
    );
    expect(readdirSync(folder).sort()).toEqual([
      'a.json',
      `a.json.partial-${process.pid}`,
      'a.pcap',
      'a.svg',
    ]);
    expect(err()).toContain(`What was written before is in ${join(folder, 'a.json.partial-')}`);
    expect(err()).toContain(`wrote ${join(folder, 'a.pcap')}\n`);
  });

  it('says once that its log cannot be written to, and passes on what comes all the same', async () => {
    const { port, next } = await listen();
    const { environment, out, err } = fakeEnvironment();
    const code = main(
      ['tap', '0', `127.0.0.1:${port}`, '--once', '--log', '/dev/full'],
      environment,
    );
    while (!err().includes('\n')) await new Promise((resolve) => setImmediate(resolve));
    const accepted = next();
    const initiator = await dial(Number(/port (\d+),/.exec(err())?.[1]));
    const target = await accepted;
    const asked = readAll(target);
    initiator.resume().end(REQ_NOOP);
    expect((await asked).text).toBe(REQ_NOOP.toString());
    target.end();
    expect(await code).toBe(1);
    expect(err().match(/Cannot write to \/dev\/full: /g)).toHaveLength(1);
    expect(out()).toMatch(/#1 . REQ noop\n/);
  });

  it.each([
    [['tap'], 'LISTEN is missing'],
    [['tap', '1'], 'TARGET is missing'],
    [['tap', '--local'], 'PROGRAM is missing'],
    [['tap', '--local', '--text', '--', 'x'], '--text and --local cannot be combined'],
    [['tap', '1', 'h', '--svg', 'a', '--pcap', './a'], 'Each file needs a name of its own'],
    [['tap', '1', 'h', '--once', '--count', '2'], '--once and --count'],
  ])('refuses %j', async (words, message) => {
    const { environment, err } = fakeEnvironment();
    expect(await main(words, environment)).toBe(2);
    expect(err()).toContain(message);
  });
});

describe('the start of a tap', () => {
  it('says when no host of the name of TARGET is known, and goes on', async () => {
    const fake = fakeEnvironment();
    const code = main(['tap', '0', 'nowhere.invalid', '--count', '1'], fake.environment);
    await vi.waitFor(
      () => {
        expect(fake.err()).toMatch(
          /^rx-amanda: TARGET nowhere\.invalid: .*, so connections would be cut\.$/m,
        );
      },
      { timeout: 20_000 },
    );
    fake.interrupt.next(130);
    expect(await code).toBe(0);
  }, 30_000);
});
