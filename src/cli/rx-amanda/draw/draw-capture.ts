import { AmandaCapture, type AmandaEvent } from '../../../capture/amanda-capture.js';
import type { CaptureReader } from '../../../capture/captured-packet.js';
import { AmandaError } from '../../../wire/errors.js';
import type { SavedEvent } from './draw-event.js';
import { count } from '../../terminal/units.js';

/** Reads a packet capture, chunk by chunk, and tells what the connections in it say. */
export class SavedCapture {
  readonly #reader: CaptureReader;
  readonly #capture: AmandaCapture;
  /** Directions that have ended, of the connections that are not over. */
  readonly #ended = new Map<number, number>();
  #found = 0;

  constructor(reader: CaptureReader, port: number | undefined, tell: (event: SavedEvent) => void) {
    this.#reader = reader;
    this.#capture = new AmandaCapture(
      (event) => {
        tell(this.#saved(event));
      },
      { port },
    );
  }

  /** Errors with `BAD_CAPTURE` where the capture is damaged. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk, (packet) => {
      this.#capture.push(packet);
    });
  }

  /** Tells how the connections are left, however the reading went. */
  end(): void {
    this.#capture.end();
  }

  /** Errors with `TRUNCATED` when the capture ends inside a packet. */
  checkEnd(): void {
    this.#reader.end();
  }

  /** What a person may want to know beside, in sentences. */
  notes(): readonly string[] {
    const { packets, connections, unusable } = this.#capture.summary;
    const unused = [...unusable].map(
      ([why, number]) => `${count(number, 'packet')} could not be used: ${why}.`,
    );
    if (this.#found > 0) return unused;
    return [
      `There is no connection with Amanda's frames among the ${count(connections, 'connection')} of ${count(packets, 'packet')}; --port N names their port.`,
      ...unused,
    ];
  }

  #saved(event: AmandaEvent): SavedEvent {
    const { at, number: connection } = event;
    switch (event.kind) {
      case 'open': {
        this.#found += 1;
        const { initiator, target, isWhole } = event.connection;
        const from = { name: initiator.address, port: initiator.port };
        const to = { name: target.address, port: target.port };
        return { kind: 'opened', connection, at, from, to, isWhole };
      }
      case 'bytes':
        return { kind: 'bytes', connection, at, sender: event.sender, bytes: event.bytes };
      case 'end':
        this.#ended.set(connection, (this.#ended.get(connection) ?? 0) + 1);
        return { kind: 'ended', connection, at, sender: event.sender };
      case 'gap':
        return { kind: 'lost', connection, at, sender: event.sender, error: gapError(event) };
      case 'reset':
        this.#ended.set(connection, 2);
        return { kind: 'reset', connection, at, sender: event.sender };
      case 'over': {
        const isComplete = this.#ended.get(connection) === 2;
        this.#ended.delete(connection);
        return { kind: 'closed', connection, at, isComplete };
      }
    }
  }
}

function gapError({
  sender,
  offset,
  missing,
  why,
}: Extract<AmandaEvent, { readonly kind: 'gap' }>): AmandaError {
  const size = missing === undefined ? 'Bytes' : count(missing, 'byte');
  return new AmandaError(
    'CAPTURE_GAP',
    `${size} of the ${sender} are missing from its byte ${offset} on: ${why}.`,
  );
}
