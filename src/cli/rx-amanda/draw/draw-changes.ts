import { ConversationBytes } from '../../../diagram/conversation-bytes.js';
import type { TapChange } from '../../../tap/tap-change.js';
import type { SavedEvent } from './draw-event.js';

interface Reading {
  readonly began: number;
  readonly bytes: ConversationBytes;
  wasReset: boolean;
}

/** Bytes of each payload that a recording keeps; the same as of a tap. */
const PREVIEW = 96;

/** Tells what saved conversations say as the steps of their diagrams, as a tap would have told them. */
export class SavedChanges {
  readonly #tell: (change: TapChange) => void;
  readonly #readings = new Map<number, Reading>();

  constructor(tell: (change: TapChange) => void) {
    this.#tell = tell;
  }

  take(event: SavedEvent): void {
    const { connection, at } = event;
    if (event.kind === 'opened') {
      const { from, to, isWhole } = event;
      const target = to.port === undefined ? to.name : `${to.name}:${to.port}`;
      this.#tell({
        kind: 'opened',
        connection,
        at,
        peer: { address: from.name, port: from.port },
        target,
      });
      const bytes = new ConversationBytes({
        name: `connection ${connection}`,
        preview: PREVIEW,
        change: (change) => this.#tell({ kind: 'change', connection, change }),
      });
      this.#readings.set(connection, { began: at, bytes, wasReset: false });
      bytes.begin(0);
      if (!isWhole) bytes.note(0, 'the capture begins in the middle of this connection');
      return;
    }
    const reading = this.#readings.get(connection);
    if (reading === undefined) return;
    this.#read(event, reading, at - reading.began);
  }

  #read(
    event: Exclude<SavedEvent, { readonly kind: 'opened' }>,
    reading: Reading,
    at: number,
  ): void {
    const { bytes } = reading;
    switch (event.kind) {
      case 'bytes':
        bytes.bytes(at, event.sender, event.bytes);
        break;
      case 'ended':
        bytes.end(at, event.sender);
        break;
      case 'lost':
        bytes.lose(at, event.sender, event.error);
        break;
      case 'reset':
        reading.wasReset = true;
        bytes.end(at, event.sender, {
          code: 'CONNECTION_LOST',
          message: `The ${event.sender} has broken the connection.`,
        });
        break;
      case 'closed': {
        const { connection, at: closedAt, isComplete } = event;
        this.#readings.delete(connection);
        if (!isComplete) bytes.note(at, 'the file ends before this connection does');
        const how = reading.wasReset ? 'reset' : isComplete ? 'ended' : 'stopped';
        this.#tell({ kind: 'closed', connection, at: closedAt, how, reason: closings[how] });
      }
    }
  }
}

const closings = {
  reset: 'The connection was broken.',
  ended: 'Both sides have ended.',
  stopped: 'The file ends before the connection does.',
} as const;
