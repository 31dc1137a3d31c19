import type { Role } from '../wire/role.js';
import { decodeText } from '../wire/text.js';
import type { ConversationLanes } from './conversation-lanes.js';
import { messageMark } from './conversation-texts.js';

/** One stream, with a lane for each direction that carries bytes. */
export class ConversationStream {
  readonly #lanes: ConversationLanes;
  readonly #name: string;
  readonly handle: number;
  readonly #own: Record<Role, string | undefined> = { initiator: undefined, target: undefined };
  readonly #closed: Record<Role, boolean> = { initiator: false, target: false };
  /** The beginning of a line of MESG whose end has not come. */
  #line = '';
  /** The exchange that announced it. */
  readonly announcedBy: object | undefined;

  constructor(
    lanes: ConversationLanes,
    name: string,
    handle: number,
    announcedBy: object | undefined,
  ) {
    this.#lanes = lanes;
    this.#name = name;
    this.handle = handle;
    this.announcedBy = announcedBy;
  }

  get isOver(): boolean {
    return this.#closed.initiator && this.#closed.target;
  }

  /** Bytes were sent; `payload` has at least their front. False when there are too many lanes. */
  chunk(at: number, sender: Role, bytes: number, payload: Uint8Array): boolean {
    const lane = this.#own[sender] ?? this.#open(at, sender);
    if (lane === undefined) return false;
    this.#lanes.chunk(at, lane, bytes, payload);
    if (this.#name === 'MESG' && sender === 'target') this.#messages(at, lane, payload, bytes);
    return true;
  }

  /** Marks the lines that say that a dump has failed, or is strange. */
  #messages(at: number, lane: string, payload: Uint8Array, bytes: number): void {
    const lines = (this.#line + decodeText(payload)).split('\n');
    const rest = lines.pop() ?? '';
    // The end of a line that was cut off is unknown.
    this.#line = payload.length < bytes ? '' : rest.slice(0, MAX_LINE);
    for (const line of lines) {
      const mark = messageMark(line);
      if (mark?.kind === 'error')
        this.#lanes.event(at, lane, { kind: 'error', code: 'SERVICE_FAILED', label: mark.label });
      else if (mark !== undefined)
        this.#lanes.event(at, lane, { kind: 'value', label: mark.label });
    }
  }

  /**
   * A direction without a lane is closed on the other one's. False when there are too many lanes.
   */
  close(at: number, sender: Role): boolean {
    const lane = this.#own[sender] ?? this.#own[other(sender)] ?? this.#open(at, sender);
    if (lane === undefined) return false;
    const again = this.#closed[sender];
    const wasOver = this.isOver;
    this.#closed[sender] = true;
    const direction = lane === this.#own[sender] ? undefined : this.#lanes.directionOf(sender);
    this.#lanes.event(at, lane, {
      kind: 'close',
      label: again ? 'close, again' : 'close',
      direction,
    });
    if (this.isOver && !wasOver)
      for (const one of this.#all())
        this.#lanes.event(at, one, { kind: 'complete', label: 'complete' });
    return true;
  }

  /** The connection has ended: a direction that is open was truncated, which is an error. */
  end(at: number): void {
    if (this.isOver) return;
    for (const side of ['target', 'initiator'] as const) {
      const lane = this.#own[side];
      if (lane === undefined) continue;
      if (this.#closed[side]) this.#lanes.event(at, lane, { kind: 'complete', label: 'complete' });
      else
        this.#lanes.event(at, lane, {
          kind: 'error',
          code: 'CONNECTION_LOST',
          label: 'the connection ended while the stream was open',
        });
    }
  }

  #all(): readonly string[] {
    return [this.#own.target, this.#own.initiator].filter((lane) => lane !== undefined);
  }

  #open(at: number, sender: Role): string | undefined {
    const direction = this.#lanes.directionOf(sender);
    const name = this.#own[other(sender)] === undefined ? this.#name : `${this.#name} ${direction}`;
    this.#own[sender] = this.#lanes.open(at, name, {
      kind: 'stream',
      direction,
      handle: this.handle,
    });
    return this.#own[sender];
  }
}

/** The longest part of a line that is kept, in characters. */
const MAX_LINE = 1_000;

function other(side: Role): Role {
  return side === 'initiator' ? 'target' : 'initiator';
}
