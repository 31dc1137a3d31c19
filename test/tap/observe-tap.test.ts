import { from, Subject } from 'rxjs';
import { describe, expect, it, test } from 'vitest';
import { connectionName, observeTap, type ObserveTapOptions } from '../../src/tap/observe-tap.js';
import type { TapChange } from '../../src/tap/tap-change.js';
import type { TapEvent } from '../../src/tap/tap-event.js';

const opened = (connection: number, at: number): TapEvent => ({
  kind: 'opened',
  connection,
  at,
  peer: { address: '192.0.2.7', port: 700 },
  target: 'db1:10080',
});
const bytes = (
  connection: number,
  at: number,
  sender: 'initiator' | 'target',
  hex: string,
): TapEvent => ({
  kind: 'bytes',
  connection,
  at,
  sender,
  chunk: new Uint8Array(Buffer.from(hex, 'hex')),
});

/** REQ noop on handle 1: 25 bytes of payload, written by hand. */
const REQ_NOOP = `000000190000000100${Buffer.from('SERVICE noop\nOPTIONS ;\n\0').toString('hex')}`;
/** Six bytes on handle 10000. */
const DATA = '0000000600002710616263646566';

function told(events: readonly TapEvent[], options?: ObserveTapOptions): readonly TapChange[] {
  const changes: TapChange[] = [];
  from(events)
    .pipe(observeTap(options))
    .subscribe((change) => changes.push(change));
  return changes;
}

/** Each event as connection, time and label; each close with its reason. */
function lines(changes: readonly TapChange[]): readonly string[] {
  return changes.flatMap((change) => {
    if (change.kind !== 'change')
      return [
        `${change.connection} ${change.kind}${change.kind === 'closed' ? ` ${change.how}` : ''} at ${change.at}`,
      ];
    return change.change.kind === 'event'
      ? [`${change.connection} ${change.change.event.label} at ${change.change.event.at}`]
      : [];
  });
}

describe('what passes through a tap', () => {
  it('has the times of its own connection, whichever came first', () => {
    const events = [
      opened(1, 5_000),
      opened(2, 6_000),
      bytes(2, 6_010, 'initiator', REQ_NOOP),
      bytes(1, 6_020, 'initiator', REQ_NOOP),
    ];
    expect(lines(told(events))).toEqual([
      '1 opened at 5000',
      '2 opened at 6000',
      '2 REQ noop at 10',
      '1 REQ noop at 1020',
    ]);
    const lanes = told(events).flatMap((change) =>
      change.kind === 'change' && change.change.kind === 'lane' ? [change.change.lane.name] : [],
    );
    expect(lanes).toEqual([
      connectionName(1),
      connectionName(2),
      'connection 2/noop',
      'connection 1/noop',
    ]);
  });

  it('has its end in place, and last of all its close', () => {
    const end = (sender: 'initiator' | 'target', at: number): TapEvent => ({
      kind: 'ended',
      connection: 1,
      at,
      sender,
    });
    const closed: TapEvent = {
      kind: 'closed',
      connection: 1,
      at: 130,
      how: 'ended',
      by: undefined,
      reason: 'Both sides have ended.',
    };
    expect(
      lines(told([opened(1, 100), end('initiator', 110), end('target', 120), closed])),
    ).toEqual([
      '1 opened at 100',
      '1 the initiator ends at 10',
      '1 the target ends at 20',
      '1 complete at 20',
      '1 closed ended at 130',
    ]);
  });

  test.each([
    ['reset', 'CONNECTION_LOST'],
    ['unreached', 'CONNECT_FAILED'],
    ['stopped', 'CONNECTION_CLOSED'],
  ] as const)('is an error where it was %s', (how, code) => {
    const events = told([
      opened(1, 0),
      { kind: 'closed', connection: 1, at: 9, how, by: 'target', reason: 'It was so.' },
    ]);
    const errors = events.flatMap((change) =>
      change.kind === 'change' && change.change.kind === 'event' ? [change.change.event] : [],
    );
    expect(errors).toEqual([
      expect.objectContaining({ kind: 'error', code, label: 'It was so.', at: 9 }),
    ]);
  });

  it('of a stream in one go is one chunk, with its number and the front of the first', () => {
    const [chunk] = told([opened(1, 0), bytes(1, 1, 'target', DATA + DATA + DATA)], {
      preview: 2,
    }).flatMap((change) =>
      change.kind === 'change' && change.change.kind === 'event' ? [change.change.event] : [],
    );
    expect(chunk).toEqual({
      kind: 'chunk',
      at: 1,
      bytes: 18,
      count: 3,
      preview: new Uint8Array([0x61, 0x62]),
      label: '3 chunks, 18 B',
    });
  });

  it('that is not frames is counted, with its place', () => {
    const text = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n').toString('hex');
    const closed: TapEvent = {
      kind: 'closed',
      connection: 1,
      at: 3,
      how: 'ended',
      by: undefined,
      reason: '',
    };
    const said = lines(
      told([opened(1, 0), bytes(1, 1, 'target', text), bytes(1, 2, 'target', text), closed]),
    );
    expect(said).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/Byte 0 of the target: .*HTTP server/),
        expect.stringContaining('56 bytes of the target'),
      ]),
    );
  });

  it('is not reported for a connection that was never opened, or is closed', () => {
    const closed: TapEvent = {
      kind: 'closed',
      connection: 1,
      at: 2,
      how: 'ended',
      by: undefined,
      reason: '',
    };
    const before = told([opened(1, 0), closed]);
    expect(
      told([bytes(7, 0, 'target', DATA), opened(1, 0), closed, bytes(1, 3, 'target', DATA)]),
    ).toEqual(before);
  });

  it('ends with the error of the tap', () => {
    const events = new Subject<TapEvent>();
    const ends: unknown[] = [];
    events.pipe(observeTap()).subscribe({
      error: (error: unknown) => ends.push(error),
      complete: () => ends.push('complete'),
    });
    events.error(new Error('the port is taken'));
    expect(ends).toEqual([new Error('the port is taken')]);
  });

  it('cannot have a preview that is out of range', () => {
    const errors: unknown[] = [];
    from([opened(1, 0)])
      .pipe(observeTap({ preview: 70_000 }))
      .subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toEqual([expect.objectContaining({ code: 'BAD_ARGUMENT' })]);
  });
});
