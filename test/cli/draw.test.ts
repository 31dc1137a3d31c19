import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/rx-amanda/main.js';
import {
  capturesDirectory,
  conversation,
  conversationNames,
  framesOf,
} from '../support/captures.js';
import { onEthernet, pcap, segmentsOf, type Segment } from '../capture/packets.js';
import { fakeEnvironment } from './fake-environment.js';

const folder = mkdtempSync(join(tmpdir(), 'rx-amanda-draw-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function saved(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

async function draw(...words: readonly string[]) {
  const fake = fakeEnvironment();
  const code = await main(['draw', ...words], fake.environment);
  return { code, out: fake.out(), err: fake.err(), lines: fake.out().split('\n').slice(0, -1) };
}

/** A capture of a recorded conversation, a packet every 10 ms. */
function captured(
  name: string,
  change: (segments: readonly Segment[]) => readonly Segment[] = (segments) => segments,
): Buffer {
  const { c2s, s2c } = conversation(name).bytes;
  return pcap(
    change(segmentsOf({ c2s, s2c })).map((segment, index) => ({
      at: 1_796_000_000_000 + 10 * index,
      bytes: onEthernet(segment),
    })),
  );
}

interface Frame {
  readonly kind: string;
  readonly sender?: string;
  readonly offset?: number;
  readonly handle?: number;
  readonly bytes?: number;
  readonly stream?: string;
}

describe('rx-amanda draw --frames', () => {
  it.each(conversationNames())(
    'lists the frames of a capture of %s as its own list has them',
    async (name) => {
      const file = saved('frames.pcap', captured(name));
      const frames = (await draw(file, '--frames', '--json')).lines.map(
        (line) => JSON.parse(line) as Frame,
      );
      for (const [sender, direction] of [
        ['initiator', 'c2s'] as const,
        ['target', 's2c'] as const,
      ]) {
        const listed = framesOf(conversation(name), direction).map(
          ({ offset, handle, length, close }) => ({
            offset,
            handle,
            bytes: length,
            isClose: close,
          }),
        );
        const told = frames.flatMap(({ kind, sender: by, offset, handle, bytes }) =>
          by === sender && handle !== undefined
            ? [{ offset, handle, bytes, isClose: kind === 'close' }]
            : [],
        );
        expect(told).toEqual(listed);
      }
    },
  );

  it('gives each frame a line: seconds, connection, direction, place, handle, kind, size and beginning', async () => {
    const { code, lines, err } = await draw(saved('noop.pcap', captured('noop.1')), '--frames');
    expect(lines).toEqual([
      '    0.000000 #1 open 127.0.0.1:700 -> 127.0.0.2:10080',
      '    0.020000 #1 > @0 handle 1: REQ, 112 bytes "SECURITY USER backup\\nSERVICE noop\\nOPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;hostname=localhost;\\n"',
      '    0.020000 #1 > @120 handle 1: ACK, 2 bytes',
      '    0.020000 #1 > @130 handle 1: close',
      '    0.030000 #1 < @0 handle 1: ACK, 2 bytes',
      '    0.030000 #1 < @10 handle 1: REP, 59 bytes "OPTIONS features=ffffffff9efefbfffffffffffffff3fffbf71f;\\n"',
      '    0.030000 #1 < @77 handle 1: close',
      '    0.040000 #1 > @138 end',
      '    0.050000 #1 < @85 end',
    ]);
    expect([code, err]).toEqual([0, '']);
  });

  it('names streams as the reply does, and shows what is no text in hexadecimal', async () => {
    const { lines } = await draw(saved('dump.pcap', captured('amdump.2')), '--frames');
    expect(lines.map((line) => line.slice(13))).toContain(
      `#1 < @414 handle 499999 DATA: data, 10240 bytes 2e2f${'00'.repeat(30)}…`,
    );
    expect(lines.filter((line) => line.includes(' handle 499998 MESG: close'))).toHaveLength(1);
  });

  it('lists no more than the connection that is asked for', async () => {
    const file = saved('one.pcap', captured('noop.1'));
    expect((await draw(file, '--frames', '--connection', '1')).lines).toHaveLength(9);
    expect(await draw(file, '--frames', '--connection', '2')).toMatchObject({
      code: 1,
      out: '',
      err: 'rx-amanda: There is no connection 2; the file has 1.\n',
    });
  });
});

describe('a saved conversation that is not whole', () => {
  it('is shown as far as the file goes, with the place and the reason, and exit code 4', async () => {
    const file = saved('cut.pcap', captured('noop.1').subarray(0, -30));
    const { code, lines, err } = await draw(file, '--frames');
    expect(lines.at(-1)).toBe('    0.040000 #1 not ended where the file ends');
    expect([code, err]).toEqual([
      4,
      expect.stringMatching(
        /^rx-amanda: The capture ends inside packet 6 at byte \d+, 24 of 54 bytes in\.\n$/,
      ),
    ]);
  });

  it('of which packets are missing says where, and draws the rest', async () => {
    const file = saved(
      'gap.pcap',
      captured('amdump.2', (segments) =>
        segments.filter(
          ({ from, payload, sequence }) =>
            from !== 'target' || payload === undefined || sequence < 3_000 || sequence > 4_500,
        ),
      ),
    );
    const listed = await draw(file, '--frames');
    expect(listed.code).toBe(4);
    expect(listed.err).toMatch(
      /^rx-amanda: connection 1: \d+ bytes of the target are missing from its byte 3000 on: they are not in the capture\.\n$/,
    );
    const drawn = await draw(file);
    expect([drawn.code, drawn.err]).toEqual([4, listed.err]);
    expect(drawn.out).toContain('sendbackup');
  });

  it('that stops being frames says at which byte, and what was there', async () => {
    const { code, err } = await draw(
      saved('text.pcap', captured('edge-first_garbage_text.1')),
      '--frames',
    );
    expect(code).toBe(4);
    expect(err).toMatch(
      /^rx-amanda: connection 1: There is text where Amanda frames were expected/,
    );
  });

  it('is nothing at all when no capture and no recording begins like it, or the file is not there', async () => {
    const junk = await draw(saved('junk', 'hello'));
    expect([junk.code, junk.out, junk.err]).toEqual([
      1,
      '',
      expect.stringMatching(
        /junk is no capture \(pcap or pcapng\) and no recording\. Of raw bytes two files/,
      ),
    ]);
    const compressed = await draw(saved('junk.gz', Buffer.from('1f8b0800000000000003', 'hex')));
    expect([compressed.code, compressed.err]).toEqual([
      1,
      expect.stringContaining('It is compressed: unpack it first'),
    ]);
    const none = await draw(join(folder, 'none'));
    expect([none.code, none.err]).toEqual([
      1,
      expect.stringContaining(`Cannot read ${join(folder, 'none')}`),
    ]);
  });

  it('is not two of those that are drawn by themselves', async () => {
    const file = saved('noop.pcap', captured('noop.1'));
    const recording = saved('noop.jsonl', (await draw(file, '--json')).out);
    const raw = `${capturesDirectory}noop.1.c2s.bin`;
    expect(await draw(recording, file)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining(
        'noop.jsonl is a recording, and not one of two files',
      ) as unknown,
    });
    expect(await draw(raw, file)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('noop.pcap is a capture, and not one of two files') as unknown,
    });
  });

  it('has no frames of Amanda’s in it when it is a capture of something else, and says so', async () => {
    const { code, err, out } = await draw(saved('empty.pcap', pcap([])));
    expect([code, out.trim(), err]).toEqual([
      0,
      '',
      "rx-amanda: There is no connection with Amanda's frames among the 0 connections of 0 packets; --port N names their port.\n",
    ]);
  });
});

describe('rx-amanda draw', () => {
  it('draws in the width that is asked for, with its streams', async () => {
    const { out, code } = await draw(saved('dump.pcap', captured('amdump.2')), '--width', '60');
    expect(code).toBe(0);
    expect(out).toMatch(/^Connection 1: 127\.0\.0\.1:700 to 127\.0\.0\.2:10080\n/);
    for (const name of ['connection 1', 'sendbackup', 'DATA', 'MESG', 'INDEX', 'STATE'])
      expect(out).toContain(name);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('writes an SVG, the same for the same file, and replaces no other file unasked', async () => {
    const file = saved('dump.pcap', captured('amdump.2'));
    const svg = join(folder, 'dump.svg');
    expect(await draw(file, '-o', svg)).toMatchObject({
      code: 0,
      out: '',
      err: `rx-amanda: Drawn: ${svg}\n`,
    });
    const first = readFileSync(svg, 'utf8');
    expect(first).toMatch(/^<svg [\s\S]*sendbackup[\s\S]*<\/svg>\n$/);
    expect(await draw(file, '--svg', svg)).toMatchObject({
      code: 1,
      err: expect.stringContaining('exists already') as string,
    });
    expect(await draw(file, '--svg', svg, '--force', '--quiet')).toMatchObject({
      code: 0,
      err: '',
    });
    expect(readFileSync(svg, 'utf8')).toBe(first);
  });

  it('gives each of several connections a file of its own', async () => {
    const { c2s, s2c } = conversation('noop.1').bytes;
    const packets = [1, 2].flatMap((initiator) =>
      segmentsOf({ c2s, s2c }).map((segment) => onEthernet(segment, { initiator, target: 10_080 })),
    );
    const file = saved('two.pcap', pcap(packets.map((bytes, at) => ({ at, bytes }))));
    await draw(file, '-o', join(folder, 'two.svg'));
    expect(
      [1, 2].map((number) =>
        readFileSync(join(folder, `two-${number}.svg`), 'utf8').includes(`127.0.0.1:${number} to`),
      ),
    ).toEqual([true, true]);
    expect((await draw(file, '--connection', '2')).out).toMatch(/^Connection 2: 127\.0\.0\.1:2 to/);
  });

  it('finds the other one of two raw files, whichever of them is named', async () => {
    const [one, other] = ['c2s', 's2c'].map(
      (direction) => `${capturesDirectory}noop.1.${direction}.bin`,
    );
    const [first, second, both, turned] = [
      await draw(one ?? ''),
      await draw(other ?? ''),
      await draw(one ?? '', other ?? ''),
      await draw(other ?? '', one ?? ''),
    ];
    expect(first.code).toBe(0);
    expect(first.err).toBe(
      'rx-amanda: Raw bytes do not say when they were sent: the order of the two sides is a guess, a millisecond a frame.\n',
    );
    expect(first.out).toMatch(/REQ.*ACK.*REP.*ACK/);
    for (const drawn of [second, both, turned]) expect(drawn.out).toBe(first.out);
  });

  it.each(conversationNames())('has all the bytes of the raw files of %s', async (name) => {
    const { lines } = await draw(`${capturesDirectory}${name}.c2s.bin`, '--frames', '--json', '-q');
    const frames = lines.map((line) => JSON.parse(line) as Frame);
    const { bytes } = conversation(name);
    for (const [sender, direction] of [['initiator', 'c2s'] as const, ['target', 's2c'] as const]) {
      expect(
        frames.filter((frame) => frame.sender === sender && frame.handle !== undefined),
      ).toHaveLength(framesOf(conversation(name), direction).length);
      expect(frames.find((frame) => frame.sender === sender && frame.kind === 'end')?.offset).toBe(
        bytes[direction].length,
      );
    }
  });

  it('draws a recording as it draws what was recorded', async () => {
    const file = saved('dump.pcap', captured('amdump.1'));
    const recording = await draw(file, '--json');
    expect([recording.code, recording.err]).toEqual([0, '']);
    const again = saved('dump.jsonl', recording.out);
    expect((await draw(again)).out).toBe((await draw(file)).out);
    expect((await draw(again, '--json')).lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      recording.lines.map((line) => JSON.parse(line) as unknown),
    );
    expect(
      (await draw(again, '--frames')).lines.filter((line) => line.includes('REQ')),
    ).toHaveLength(2);
  });

  it('prints a recording without characters that a terminal obeys', async () => {
    const { out } = await draw(saved('noop.pcap', captured('noop.1')), '--json');
    const target = '\u009b2J\u202e\u007f\u200e:10081';
    const hostile = out.replace(/"target":"[^"]*"/, `"target":${JSON.stringify(target)}`);
    const { lines } = await draw(saved('hostile.jsonl', hostile), '--json');
    expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({ kind: 'opened', target }),
    );
  });

  it('draws a damaged recording as far as it goes', async () => {
    const { out } = await draw(saved('noop.pcap', captured('noop.1')), '--json');
    const lines = out.split('\n');
    const damaged = [
      ...lines.slice(0, 6),
      '{"kind":"change","connection":1,"change":{"kind":"event","lane":7}}',
      ...lines.slice(6),
    ].join('\n');
    const drawn = await draw(saved('damaged.jsonl', damaged));
    expect([drawn.code, drawn.err]).toEqual([
      4,
      'rx-amanda: The recording is damaged: line 7 is no step of one.\n',
    ]);
    expect(drawn.out).toContain('REQ');
    expect(await draw(saved('cut.jsonl', out.slice(0, -5)))).toMatchObject({
      code: 4,
      err: `rx-amanda: The recording ends inside line ${lines.length - 1}.\n`,
    });
    expect(await draw(saved('new.jsonl', out.replace('"version":1', '"version":2')))).toMatchObject(
      {
        code: 4,
        err: expect.stringContaining('version') as string,
      },
    );
  });

  it('reads standard input', async () => {
    const fake = fakeEnvironment({
      stdin: (await draw(saved('noop.pcap', captured('noop.1')), '--json')).out,
    });
    expect(await main(['draw', '-'], fake.environment)).toBe(0);
    expect(fake.out()).toContain('REP');
  });

  it.each([
    [[], 'FILE is missing.'],
    [['a', 'b', 'c'], 'There are more than two files; only raw bytes come in two.'],
    [
      ['a', '--connection', '0'],
      '--connection takes a whole number from 1 to 1000000000, not "0".',
    ],
    [['a', '--frames', '--svg', 'b'], '--svg draws, and --frames does not; take one of them.'],
    [
      ['a', '--svg', 'b', '--width', '399'],
      '--width takes a whole number from 400 to 4000, not "399".',
    ],
  ] as const)('does not understand %j', async (words, message) => {
    expect(await draw(...words)).toMatchObject({ code: 2, err: `rx-amanda: ${message}\n` });
  });
});
