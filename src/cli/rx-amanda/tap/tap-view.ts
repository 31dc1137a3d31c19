import type { Change, Direction, LaneEvent, LaneStart } from '../../../diagram/model.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { printable, decodeText } from '../../../wire/text.js';
import { count, formatBytes } from '../../terminal/units.js';

/** How lines are written. */
export interface TapViewOptions {
  readonly color?: boolean;
  readonly unicode?: boolean;
}

/** Characters of a payload that are shown. */
const SHOWN_CHARACTERS = 60;

/** How much a stream carries beside what is shown of it at once. */
interface Stream {
  readonly connection: number;
  readonly start: LaneStart;
  /** When the last line of it was, in milliseconds since 1970. */
  since: number;
  chunks: number;
  bytes: number;
}

/** Milliseconds that what a stream carries is joined for, so that a backup does not flood a terminal. */
export const JOINED_FOR = 1_000;

/**
 * What a tap sees as lines of text: packets, ends and errors one by one, and of a stream the first chunk after a pause and then how much comes.
 * What comes from the network is made safe for a terminal.
 */
export class TapView {
  readonly #options: Required<TapViewOptions>;
  readonly #began = new Map<number, number>();
  readonly #lanes = new Map<string, Stream>();

  constructor({ color = false, unicode = true }: TapViewOptions = {}) {
    this.#options = { color, unicode };
  }

  /** The lines for a step. */
  lines(change: TapChange): readonly string[] {
    const { connection } = change;
    switch (change.kind) {
      case 'opened': {
        this.#began.set(connection, change.at);
        const { address, port } = change.peer;
        const from =
          address === undefined ? 'this program' : `${address} port ${port ?? 'unknown'}`;
        return [
          this.#line(change.at, connection, undefined, `opened by ${from}, to ${change.target}`),
        ];
      }
      case 'change':
        return this.#change(connection, change.change);
      case 'closed': {
        const lines = this.#joined((lane) => lane.connection === connection, change.at);
        for (const [name, lane] of this.#lanes)
          if (lane.connection === connection) this.#lanes.delete(name);
        this.#began.delete(connection);
        const text = `closed: ${change.reason}`;
        return [
          ...lines,
          this.#line(
            change.at,
            connection,
            undefined,
            change.how === 'ended' ? text : this.#paint('red', text),
          ),
        ];
      }
    }
  }

  /** The lines for what has come by now, `at` milliseconds since 1970, and was not shown. */
  pending(at: number): readonly string[] {
    return this.#joined(({ since }) => at - since >= JOINED_FOR, at);
  }

  #change(connection: number, change: Change): readonly string[] {
    if (change.kind === 'lane')
      this.#lanes.set(change.lane.name, {
        connection,
        start: change.lane,
        since: -Infinity,
        chunks: 0,
        bytes: 0,
      });
    const lane = this.#lanes.get(change.kind === 'lane' ? change.lane.name : change.lane);
    if (change.kind !== 'event' || lane === undefined) return [];
    const at = (this.#began.get(connection) ?? 0) + change.event.at;
    return change.event.kind === 'chunk' || change.event.kind === 'frame'
      ? this.#chunk(lane, at, change.event)
      : this.#event(lane, at, change.event);
  }

  #chunk(
    lane: Stream,
    at: number,
    event: Extract<LaneEvent, { readonly kind: 'chunk' | 'frame' }>,
  ): readonly string[] {
    if (lane.chunks === 0 && at - lane.since >= JOINED_FOR) {
      lane.since = at;
      const preview = previewOf(event.preview, event.bytes);
      return [
        this.#line(
          at,
          lane.connection,
          event.direction ?? lane.start.direction,
          `${nameOf(lane.start)} ${formatBytes(event.bytes)}${preview}`,
        ),
      ];
    }
    lane.chunks += event.count ?? 1;
    lane.bytes += event.bytes;
    return at - lane.since >= JOINED_FOR ? this.#joined((other) => other === lane, at) : [];
  }

  #event({ connection, start }: Stream, at: number, event: LaneEvent): readonly string[] {
    const lines = this.#joined((lane) => lane.start === start, at);
    // A lane is over with its last close; the end of a connection has a line of its own.
    if (event.kind === 'complete') return lines;
    const text = printable(
      event.kind === 'close' && start.kind !== 'connection' ? 'ends' : event.label,
    );
    const isRequest = event.kind === 'packet' && event.type === 'REQ';
    const said = start.kind === 'connection' || isRequest ? text : `${nameOf(start)} ${text}`;
    const isTrouble =
      event.kind === 'error' ||
      (event.kind === 'packet' && (event.type === 'NAK' || / ERROR /.test(text)));
    const shown = isTrouble
      ? this.#paint('red', said)
      : event.kind === 'packet'
        ? this.#paint('bold', said)
        : said;
    return [...lines, this.#line(at, connection, event.direction ?? start.direction, shown)];
  }

  #joined(which: (lane: Stream) => boolean, at: number): readonly string[] {
    return [...this.#lanes.values()].flatMap((lane) => {
      if (lane.chunks === 0 || !which(lane)) return [];
      const seconds = Math.max(at - lane.since, 1) / 1_000;
      const text = `${nameOf(lane.start)} ${formatBytes(lane.bytes)} in ${count(lane.chunks, 'chunk')}, ${formatBytes(lane.bytes / seconds)}/s`;
      Object.assign(lane, { since: at, chunks: 0, bytes: 0 });
      return [this.#line(at, lane.connection, lane.start.direction, text)];
    });
  }

  #line(at: number, connection: number, direction: Direction | undefined, text: string): string {
    const { unicode } = this.#options;
    const arrow =
      direction === undefined
        ? ' '
        : direction === 'out'
          ? unicode
            ? '→'
            : '>'
          : unicode
            ? '←'
            : '<';
    const colored =
      direction === undefined ? arrow : this.#paint(direction === 'out' ? 'cyan' : 'green', arrow);
    return `${this.#paint('dim', timeOf(at))} #${connection} ${colored} ${text}`;
  }

  #paint(style: keyof typeof styles, text: string): string {
    return this.#options.color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  }
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, cyan: 36 } as const;

/** `14:03:59.123`, as the clock on the wall has it. */
function timeOf(at: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** Without the connection's name before it. */
function nameOf({ name, under }: LaneStart): string {
  return printable(
    under !== undefined && name.startsWith(`${under}/`) ? name.slice(under.length + 1) : name,
  );
}

/** The front of a text; nothing of what is none. */
function previewOf(preview: Uint8Array | undefined, bytes: number): string {
  if (preview === undefined || preview.length === 0) return '';
  const text = decodeText(preview);
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text.slice(0, -1))) return '';
  return ` "${printable(text, SHOWN_CHARACTERS)}${bytes > preview.length && text.length <= SHOWN_CHARACTERS ? '…' : ''}"`;
}
