import { finalize, type Observable } from 'rxjs';
import type { Change, Diagram } from '../../../diagram/model.js';
import { condense } from '../../../diagram/condense.js';
import { Recording } from '../../../diagram/recording.js';
import { toSvg } from '../../../diagram/svg/svg.js';
import type { TapChange } from '../../../tap/tap-change.js';
import type { TapEvent } from '../../../tap/tap-event.js';
import { hold, release } from '../../../transport/buffer-pool.js';
import { messageOf } from '../../../wire/text.js';
import { drawnStep } from '../draw/draw-pictures.js';
import { withPartialFile, type PartialFile } from '../../terminal/partial-file.js';
import { tapJson, tapPcap, type TapSink } from './tap-sinks.js';

/** The files that a tap writes, and whether a drawing is printed as well. */
export interface TapFileNames {
  readonly svg?: string | undefined;
  readonly json?: string | undefined;
  readonly pcap?: string | undefined;
  readonly text?: boolean | undefined;
}

/** Takes the events of a tap as they come. */
export interface TapFiles {
  event(event: TapEvent): void;
  change(change: TapChange): void;
  /** The drawing of everything so far, if one was requested. */
  drawing(): Drawing;
  /**
   * Publishes the complete files and returns their names. A failure is reported, and the other
   * files go on.
   */
  publish(): Promise<readonly string[]>;
}

export interface Drawing {
  readonly diagram: Diagram;
  readonly millisecondsPerStep: number;
}

/** The most events of a drawing. A larger one would be slow to open and hard to read. */
const DRAWN_EVENTS = 1_000;
/** The average number of chunks of a stream in a drawing. */
const DRAWN_CHUNKS = 2;

/**
 * Creates the files of a tap for as long as `use` runs. A file that is not published is removed.
 *
 * Capture and recording are written as events come, at most {@link HELD_FOR} milliseconds late, so
 * a killed program leaves them under a temporary name. A file that cannot be written stays
 * incomplete, `onProblem` gets the reason, and the other files go on. Errors with `FILE_FAILED`
 * when one cannot be created.
 */
export function withTapFiles<T>(
  names: TapFileNames,
  overwrite: boolean,
  onProblem: (message: string) => void,
  use: (files: TapFiles) => Observable<T>,
): Observable<T> {
  return withOptional(names.svg, overwrite, (svg) =>
    withOptional(names.json, overwrite, (json) =>
      withOptional(names.pcap, overwrite, (pcap) => {
        const files = [
          json && new Streamed(json, tapJson(), onProblem),
          pcap && new Streamed(pcap, tapPcap(), onProblem),
        ];
        const streamed = files.filter((file) => file !== undefined);
        const isDrawn = svg !== undefined || names.text === true;
        const recording = isDrawn ? new Recording({ title: 'rx-amanda tap' }) : undefined;
        return use(new OpenFiles({ svg, streamed, recording, onProblem })).pipe(
          finalize(() => {
            for (const file of streamed) file.close();
          }),
        );
      }),
    ),
  );
}

function delayed(change: Change, by: number): Change {
  switch (change.kind) {
    case 'lane':
    case 'span-end':
      return { ...change, at: change.at + by };
    case 'event': {
      const { at, until } = change.event;
      return {
        ...change,
        event: {
          ...change.event,
          at: at + by,
          ...(until === undefined ? {} : { until: until + by }),
        },
      };
    }
    case 'span': {
      const { from, to } = change.span;
      return {
        ...change,
        span: { ...change.span, from: from + by, to: to === undefined ? undefined : to + by },
      };
    }
  }
}

interface Opened {
  readonly svg: PartialFile | undefined;
  readonly streamed: readonly Streamed[];
  readonly recording: Recording | undefined;
  readonly onProblem: (message: string) => void;
}

class OpenFiles implements TapFiles {
  readonly #svg: PartialFile | undefined;
  readonly #streamed: readonly Streamed[];
  readonly #recording: Recording | undefined;
  readonly #onProblem: (message: string) => void;
  /**
   * The time of the first connection in milliseconds since 1970, and the delays of the later ones.
   */
  #began: number | undefined;
  readonly #delays = new Map<number, number>();

  constructor({ svg, streamed, recording, onProblem }: Opened) {
    this.#svg = svg;
    this.#streamed = streamed;
    this.#recording = recording;
    this.#onProblem = onProblem;
  }

  event(event: TapEvent): void {
    for (const file of this.#streamed) file.write((sink) => sink.event(event));
  }

  change(change: TapChange): void {
    for (const file of this.#streamed) file.write((sink) => sink.change(change));
    if (this.#recording === undefined) return;
    if (change.kind === 'opened') {
      this.#began ??= change.at;
      this.#delays.set(change.connection, change.at - this.#began);
    } else if (change.kind === 'closed') this.#delays.delete(change.connection);
    else this.#recording.next(delayed(change.change, this.#delays.get(change.connection) ?? 0));
  }

  drawing(): Drawing {
    const diagram = condense(
      (this.#recording ?? new Recording()).diagram(),
      DRAWN_EVENTS,
      DRAWN_CHUNKS,
    );
    return { diagram, millisecondsPerStep: drawnStep(diagram) };
  }

  async publish(): Promise<readonly string[]> {
    const published: string[] = [];
    const svg = this.#svg;
    if (svg !== undefined && (await this.#draw(svg))) published.push(svg.path);
    for (const file of this.#streamed) if (await file.publish()) published.push(file.path);
    return published;
  }

  async #draw(file: PartialFile): Promise<boolean> {
    try {
      const { diagram, millisecondsPerStep } = this.drawing();
      await file.append(Buffer.from(toSvg(diagram, { millisecondsPerStep })));
      await file.publish();
      return true;
    } catch (error) {
      this.#onProblem(messageOf(error));
      return false;
    }
  }
}

/** Milliseconds that bytes may wait for more. */
const HELD_FOR = 200;
/** The most waiting bytes. */
const MOST_HELD = 131_072;

/** A file that is written during the tap. */
class Streamed {
  readonly #file: PartialFile;
  readonly #sink: TapSink;
  readonly #onProblem: (message: string) => void;
  #isWhole = true;
  /** The waiting parts and their size. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: PartialFile, sink: TapSink, onProblem: (message: string) => void) {
    this.#file = file;
    this.#sink = sink;
    this.#onProblem = onProblem;
    this.write(() => sink.begin());
  }

  get path(): string {
    return this.#file.path;
  }

  write(parts: (sink: TapSink) => readonly Uint8Array[]): void {
    if (!this.#isWhole) return;
    for (const part of parts(this.#sink)) {
      hold(part);
      this.#held.push(part);
      this.#heldBytes += part.length;
    }
    if (this.#heldBytes >= MOST_HELD) this.#flush();
    else if (this.#heldBytes > 0) this.#timer ??= setTimeout(() => this.#flush(), HELD_FOR);
  }

  async publish(): Promise<boolean> {
    this.#flush();
    if (!this.#isWhole) return false;
    try {
      await this.#file.publish();
      return true;
    } catch (error) {
      this.#giveUp(error);
      return false;
    }
  }

  /** Stops writing. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isWhole = false;
    for (const part of this.#held.splice(0)) release(part);
  }

  #flush(): void {
    if (!this.#isWhole) return;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#file.appendNow(held);
    } catch (error) {
      this.#giveUp(error);
    }
    for (const part of held) release(part);
  }

  /** Gives up the file. The tapped programs must not notice it. */
  #giveUp(error: unknown): void {
    this.close();
    this.#onProblem(`${messageOf(error)} What was written before is in ${this.#file.keep()}.`);
  }
}

function withOptional<T>(
  path: string | undefined,
  overwrite: boolean,
  use: (file: PartialFile | undefined) => Observable<T>,
): Observable<T> {
  return path === undefined ? use(undefined) : withPartialFile(path, overwrite, use);
}
