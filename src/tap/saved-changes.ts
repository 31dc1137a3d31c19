import type { SavedEvent } from '../capture/saved-event.js';
import { ConversationBytes } from '../diagram/conversation-bytes.js';
import { connectionName, DEFAULT_PREVIEW } from './observe-tap.js';
import type { TapChange } from './tap-change.js';

interface Reading {
  readonly began: number;
  readonly bytes: ConversationBytes;
  wasReset: boolean;
}

/**
 * Emits saved conversations as the steps of their diagrams, like `observeTap` does for a live tap.
 */
export class SavedChanges {
  readonly #emit: (change: TapChange) => void;
  readonly #readings = new Map<number, Reading>();

  constructor(emit: (change: TapChange) => void) {
    this.#emit = emit;
  }

  take(event: SavedEvent): void {
    const { connection, at } = event;
    if (event.kind === 'opened') {
      const { from, to, isWhole } = event;
      const target = to.port === undefined ? to.name : `${to.name}:${to.port}`;
      const peer = { address: from.name, port: from.port };
      this.#emit({ kind: 'opened', connection, at, peer, target });
      const bytes = new ConversationBytes({
        name: connectionName(connection),
        preview: DEFAULT_PREVIEW,
        change: (change) => this.#emit({ kind: 'change', connection, change }),
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
        this.#emit({ kind: 'closed', connection, at: closedAt, how, reason: reasons[how] });
      }
    }
  }
}

const reasons = {
  reset: 'The connection was broken.',
  ended: 'Both sides have ended.',
  stopped: 'The file ends before the connection does.',
} as const;
