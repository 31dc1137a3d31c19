import { Subject } from 'rxjs';
import type { Change, LaneEvent } from '../../src/diagram/model.js';
import { observeTap } from '../../src/tap/observe-tap.js';
import type { TapChange } from '../../src/tap/tap-change.js';
import type { TapEvent } from '../../src/tap/tap-event.js';
import { conversation } from '../support/captures.js';

/** A tap whose conversations come from the test. */
export class FakeTap {
  readonly #changes = new Subject<TapChange>();
  readonly changes = this.#changes.asObservable();

  open(
    connection: number,
    { at = Date.now(), target = 'db1.example.com:10080', address = '192.0.2.7' } = {},
  ): void {
    this.#changes.next({ kind: 'opened', connection, at, peer: { address, port: 842 }, target });
  }

  change(connection: number, change: Change): void {
    this.#changes.next({ kind: 'change', connection, change });
  }

  lane(
    connection: number,
    name: string,
    { direction, under }: { direction?: 'in' | 'out'; under?: string } = {},
  ): void {
    const kind = under === undefined ? 'connection' : direction === undefined ? 'handle' : 'stream';
    this.change(connection, {
      kind: 'lane',
      at: 0,
      lane: { name, kind, direction, handle: under === undefined ? undefined : 7, under },
    });
  }

  event(connection: number, lane: string, event: LaneEvent): void {
    this.change(connection, { kind: 'event', lane, event });
  }

  close(connection: number, { at = Date.now(), reason = 'Both sides have ended.' } = {}): void {
    this.#changes.next({ kind: 'closed', connection, at, how: 'ended', reason });
  }

  end(): void {
    this.#changes.complete();
  }

  /** Replays a recorded conversation at once, with times as if it ended now. */
  replay(connection: number, name: string, { isOver = true } = {}): void {
    const { bytes, steps } = conversation(name);
    const events = new Subject<TapEvent>();
    const reading = events.pipe(observeTap({ preview: 256 })).subscribe((change) => {
      this.#changes.next(change);
    });
    const length = 1_000 * Math.max(0, ...steps.map(({ time }) => time));
    const began = Date.now() - length;
    events.next({
      kind: 'opened',
      connection,
      at: began,
      peer: { address: '192.0.2.7', port: 842 },
      target: 'db1.example.com:10080',
    });
    for (const step of steps) {
      if (step.kind !== 'frame') continue;
      const { time, direction, offset, length: size } = step;
      const sender = direction === 'c2s' ? 'initiator' : 'target';
      events.next({
        kind: 'bytes',
        connection,
        at: began + 1_000 * time,
        sender,
        chunk: bytes[direction].subarray(offset, offset + 8 + size),
      });
    }
    if (isOver)
      events.next({
        kind: 'closed',
        connection,
        at: began + length,
        how: 'ended',
        by: undefined,
        reason: 'Both sides have ended.',
      });
    reading.unsubscribe();
  }
}

/** The bytes of a text, for a preview. */
export function preview(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}
