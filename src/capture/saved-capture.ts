import { AmandaError } from '../wire/errors.js';
import { AmandaCapture, type AmandaEvent, type CaptureSummary } from './amanda-capture.js';
import type { CaptureReader } from './captured-packet.js';
import { PcapReader } from './pcap.js';
import { PcapngReader } from './pcapng.js';
import type { SavedEvent } from './saved-event.js';

/**
 * The reader for a capture that begins with these bytes, four or more; undefined for other files.
 */
export function captureReader(first: Uint8Array): CaptureReader | undefined {
  if (PcapReader.reads(first)) return new PcapReader();
  return PcapngReader.reads(first) ? new PcapngReader() : undefined;
}

/** Reads a packet capture in chunks, and emits the events of its Amanda connections. */
export class SavedCapture {
  readonly #reader: CaptureReader;
  readonly #capture: AmandaCapture;
  /** Directions that have ended, for each open connection. */
  readonly #ended = new Map<number, number>();
  #found = 0;

  constructor(reader: CaptureReader, port: number | undefined, emit: (event: SavedEvent) => void) {
    this.#reader = reader;
    this.#capture = new AmandaCapture(
      (event) => {
        emit(this.#saved(event));
      },
      { port },
    );
  }

  /** What the capture holds so far; `found` counts the connections of Amanda. */
  get summary(): CaptureSummary & { readonly found: number } {
    return { ...this.#capture.summary, found: this.#found };
  }

  /** Errors with `BAD_CAPTURE` where the capture is damaged. */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk, (packet) => {
      this.#capture.push(packet);
    });
  }

  /** Closes the connections that are still open. Call it after an error of `push` as well. */
  end(): void {
    this.#capture.end();
  }

  /** Errors with `TRUNCATED` when the capture ends inside a packet. */
  checkEnd(): void {
    this.#reader.end();
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
  const size = missing === undefined ? 'Bytes' : missing === 1 ? '1 byte' : `${missing} bytes`;
  return new AmandaError(
    'CAPTURE_GAP',
    `${size} of the ${sender} are missing from its byte ${offset} on: ${why}.`,
  );
}
