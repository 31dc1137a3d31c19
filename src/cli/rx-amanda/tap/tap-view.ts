import type { Change, Direction, LaneEvent, LaneStart } from '../../../diagram/model.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { printable, decodeText } from '../../../wire/text.js';
import { count, formatBytes } from '../../terminal/units.js';

/** What the terminal can show. */
export interface TapViewOptions {
  readonly color?: boolean;
  readonly unicode?: boolean;
}

/** The most characters of a payload that are shown. */
const SHOWN_CHARACTERS = 60;

/** The bytes of a lane since its last line. */
interface Stream {
  readonly connection: number;
  readonly start: LaneStart;
  /** The time of its last line in milliseconds since 1970. */
  since: number;
  chunks: number;
  bytes: number;
}

/** Milliseconds of data that one line sums up, so that a backup does not flood a terminal. */
export const JOINED_FOR = 1_000;

/**
 * Turns the steps of a tap into lines: one for each packet, end and error. Of a stream it shows the
 * first chunk after a pause, and then sums. All texts from the network are made safe for a
 * terminal.
 */
export class TapView {
  readonly #options: Required<TapViewOptions>;
  readonly #began = new Map<number, number>();
  readonly #lanes = new Map<string, Stream>();

  constructor({ color = false, unicode = true }: TapViewOptions = {}) {
    this.#options = { color, unicode };
  }

  /** The lines of a step. */
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

  /** The lines of sums that are due at a time, in milliseconds since 1970. */
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
    // A close has its own line, and so has the end of a connection.
    if (event.kind === 'complete') return lines;
    const text = printable(
      event.kind === 'close' && start.kind !== 'connection' ? 'ends' : event.label,
    );
    const isRequest = event.kind === 'packet' && event.type === 'REQ';
    const said = start.kind === 'connection' || isRequest ? text : `${nameOf(start)} ${text}`;
    const isFailure =
      event.kind === 'error' ||
      (event.kind === 'packet' && (event.type === 'NAK' || / ERROR /.test(text)));
    const shown = isFailure
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
      const size = `${formatBytes(lane.bytes)} in ${count(lane.chunks, 'chunk')}`;
      const text = `${nameOf(lane.start)} ${size}, ${formatBytes(lane.bytes / seconds)}/s`;
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

/** `14:03:59.123` in local time. */
function timeOf(at: number): string {
  const date = new Date(at);
  const digits = (number: number, count = 2): string => String(number).padStart(count, '0');
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${time.map((part) => digits(part)).join(':')}.${digits(date.getMilliseconds(), 3)}`;
}

/** The name of a lane without its connection's. */
function nameOf({ name, under }: LaneStart): string {
  return printable(
    under !== undefined && name.startsWith(`${under}/`) ? name.slice(under.length + 1) : name,
  );
}

/** The beginning of a text in quotes; empty for other data. */
function previewOf(preview: Uint8Array | undefined, bytes: number): string {
  if (preview === undefined || preview.length === 0) return '';
  const text = decodeText(preview);
  if (/[\u0000-\u0008\u000e-\u001f\ufffd\u{dc80}-\u{dcff}]/u.test(text.slice(0, -1))) return '';
  const isCut = bytes > preview.length && text.length <= SHOWN_CHARACTERS;
  return ` "${printable(text, SHOWN_CHARACTERS)}${isCut ? '…' : ''}"`;
}
