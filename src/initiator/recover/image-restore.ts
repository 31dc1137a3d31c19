import {
  EMPTY,
  Observable,
  concat,
  defer,
  finalize,
  from,
  ignoreElements,
  merge,
  mergeMap,
  of,
  type ObservableInput,
} from 'rxjs';
import type { Stream } from '../../connection/stream.js';
import type { DumpHeader } from '../../wire/dumpfile.js';
import { AmandaError } from '../../wire/errors.js';
import { Features } from '../../wire/features.js';
import { printable } from '../../wire/text.js';
import type { CallOptions } from '../call-options.js';
import { ImageRecord, type ImageOutcome } from './image-record.js';
import { formatVolumes, type IndexedDump } from './index-entries.js';
import type { LineDialogue } from './line-dialogue.js';

/** Options of {@link restoreImage}: which dump of which disk, and its limits. */
export interface RestoreImageOptions extends CallOptions {
  /** The configuration on the server. */
  readonly config: string;
  readonly host: string;
  readonly disk: string;
  /** Which dump, as `index` lists it. */
  readonly dump: IndexedDump;
  /** A storage, changer or device of the server. Default: the storage that the dump names. */
  readonly device?: string;
  /**
   * Called when a volume is missing, with its label; the server waits until the result completes,
   * and then looks for the volume again. Default: the restore fails with `INCOMPLETE_DUMP`.
   */
  readonly onVolume?: (label: string) => ObservableInput<unknown>;
  /** Milliseconds for which nothing may arrive. Default 1,800,000. */
  readonly silence?: number;
  /** Milliseconds between two `progress` events, default 1,000. */
  readonly progressInterval?: number;
  /** Whether a chunk is valid only until its sink's result completes. Default false. */
  readonly lease?: boolean;
}

/** Takes bytes. The next ones come when its result completes; values of the result are ignored. */
export type ImageSink = (chunk: Uint8Array) => ObservableInput<unknown>;

/** The sinks of an image's streams. A stream without a sink is read and dropped. */
export interface ImageSinks {
  readonly data: ImageSink;
  /** What the application needs to restore single files; most send none. */
  readonly state?: ImageSink | undefined;
}

/** What {@link restoreImage} emits, in this order; `done` is the last one. */
export type RestoreImageEvent =
  /** The header has arrived; the image follows. */
  | { readonly kind: 'started'; readonly header: DumpHeader }
  /** A text of the server, for people. */
  | { readonly kind: 'message'; readonly text: string }
  /** The server waits for a volume. */
  | { readonly kind: 'volume'; readonly label: string }
  | { readonly kind: 'progress'; readonly bytes: number }
  /** The last event: the image is whole. */
  | { readonly kind: 'done'; readonly outcome: ImageOutcome };

interface Parts {
  readonly dialogue: LineDialogue;
  readonly data: Stream;
  readonly state: Stream | undefined;
  readonly options: RestoreImageOptions;
  readonly open: (header: DumpHeader) => ImageSinks;
  readonly peer: string;
}

/** The features without which the conversation has other steps: those of Amanda 3.4. */
const NEEDED = [
  'fe_amidxtaped_datapath',
  'fe_amrecover_header_send_size',
  'fe_amrecover_header_ready',
  'fe_amrecover_header_done',
  'fe_amrecover_state_send',
  'fe_amrecover_data_send',
] as const;

/** One conversation with amidxtaped. */
export class ImageRestore {
  readonly #parts: Parts;
  readonly #record: ImageRecord;
  #sinks: ImageSinks | undefined;
  #isWaiting = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { host, disk, dump } = parts.options;
    this.#record = new ImageRecord(`The level ${dump.level} dump of ${host}:${disk}`);
  }

  get bytes(): number {
    return this.#record.bytes;
  }

  /** Whether the server waits for a volume. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  outcome(): ImageOutcome {
    return this.#record.outcome();
  }

  /** Follows the server's lines to their end, and the data to theirs. */
  run(): Observable<RestoreImageEvent> {
    const { dialogue, options } = this.#parts;
    const { features = Features.amanda351 } = options.options ?? {};
    return merge(
      dialogue.lines.pipe(mergeMap((line) => this.#heard(line))),
      defer(() => this.#say(`FEATURES=${features.toString()}`)),
    );
  }

  #heard(line: string): Observable<RestoreImageEvent> {
    const [word = '', ...rest] = line.split(/[ =]/);
    const text = rest.join(' ');
    switch (word) {
      case 'FEATURES':
        return this.#ask(Features.parse(text));
      case 'HEADER-SEND-SIZE':
        this.#record.expectHeader(Number(text));
        return merge(this.#readData(), this.#say('HEADER-READY'));
      case 'STATE-SEND':
        return merge(concat(this.#readState(), this.#say('STATE-DONE')), this.#say('STATE-READY'));
      case 'USE-DAR':
        return this.#say('USE-DAR NO', 'AVAIL-DATAPATH AMANDA');
      case 'USE-DATAPATH':
        return this.#say('DATAPATH-OK');
      case 'DATA-SEND':
        return this.#say('DATA-READY');
      case 'FEEDME':
        return this.#wantVolume(text);
      default: {
        const message = word === 'MESSAGE' ? line.slice('MESSAGE '.length) : line;
        this.#record.takeMessage(message);
        return of({ kind: 'message', text: printable(message) });
      }
    }
  }

  /** Says which dump, once the server has said what it can do. */
  #ask(features: Features): Observable<never> {
    const missing = NEEDED.find((name) => !features.has(name));
    const { peer, options } = this.#parts;
    if (missing !== undefined)
      throw new AmandaError(
        'SERVICE_FAILED',
        `${peer} runs an Amanda from before 3.4, whose restore this library does not speak.`,
        { peer },
      );
    const { config, host, disk, dump, device } = options;
    const [first] = dump.volumes;
    const place =
      first?.files[0] === 0
        ? [`DEVICE=${first.label}`]
        : [
            `LABEL=${formatVolumes(dump.volumes)}`,
            ...(device === undefined ? [] : [`DEVICE=${device}`]),
          ];
    return this.#say(
      `CONFIG=${config}`,
      ...place,
      'HEADER',
      `HOST=^${escapePattern(host)}$`,
      `DISK=^${escapePattern(disk)}$`,
      `DATESTAMP=${dump.datestamp}`,
      'END',
    );
  }

  /** DATA has the header first, and then the image. */
  #readData(): Observable<RestoreImageEvent> {
    const { data, open, options } = this.#parts;
    return data.paced(
      (chunk): ObservableInput<RestoreImageEvent> => {
        if (this.#sinks !== undefined) {
          this.#record.takeData(chunk);
          return from(this.#sinks.data(chunk)).pipe(ignoreElements());
        }
        const header = this.#record.takeHeader(chunk);
        if (header === undefined) return EMPTY;
        this.#sinks = open(header);
        return concat(of<RestoreImageEvent>({ kind: 'started', header }), this.#say('HEADER-DONE'));
      },
      { lease: options.lease ?? false },
    );
  }

  #readState(): Observable<never> {
    const { state } = this.#parts;
    const sink = this.#sinks?.state ?? (() => EMPTY);
    return state === undefined ? EMPTY : state.paced(sink).pipe(ignoreElements());
  }

  #wantVolume(label: string): Observable<RestoreImageEvent> {
    const { options, peer } = this.#parts;
    if (options.onVolume === undefined)
      throw new AmandaError(
        'INCOMPLETE_DUMP',
        `${peer} does not find the volume ${printable(label)}, which has the dump.`,
        { peer },
      );
    this.#isWaiting = true;
    return concat(
      of<RestoreImageEvent>({ kind: 'volume', label: printable(label) }),
      from(options.onVolume(label)).pipe(
        ignoreElements(),
        finalize(() => {
          this.#isWaiting = false;
        }),
      ),
      this.#say('OK'),
    );
  }

  #say(...lines: string[]): Observable<never> {
    return defer(() => {
      for (const line of lines) this.#parts.dialogue.say(line);
      return EMPTY;
    });
  }
}

/** A name as an extended regular expression that matches only it. */
function escapePattern(name: string): string {
  return name.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');
}
