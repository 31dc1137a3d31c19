import { basename, extname } from 'node:path';
import { FrameList } from '../../../capture/frame-list.js';
import type { SavedEvent } from '../../../capture/saved-event.js';
import { toSvg } from '../../../diagram/svg/svg.js';
import { toText } from '../../../diagram/text/text.js';
import { recordingHeader, recordingLine } from '../../../tap/recording-file.js';
import { SavedChanges } from '../../../tap/saved-changes.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { encodeText, printableJson } from '../../../wire/text.js';
import { ConnectionFilter, Problems, isUnshowable } from './draw-findings.js';
import { changeLine, listLine } from './draw-lines.js';
import { drawnStep, Pictures, type Picture, type PicturesOptions } from './draw-pictures.js';
import { PartialFile } from '../../terminal/partial-file.js';
import type { PacedOutput } from '../../terminal/paced-output.js';
import type { TerminalOutput } from '../environment.js';
import { terminalOf } from '../../terminal/terminal.js';
import { count } from '../../terminal/units.js';

/**
 * A way to show saved conversations. It takes the events of a capture, or the steps of a recording.
 */
export interface SavedView {
  event(event: SavedEvent): void;
  change(change: TapChange): void;
  finish(): Promise<void>;
  /** Remarks for a person. */
  notes(): readonly string[];
  /** What could not be shown, and why. */
  problems(): readonly string[];
  /** The message when the file lacks the connection to show. */
  missing(): string | undefined;
}

interface ListOptions {
  /** The one to show; default all. */
  readonly connection: number | undefined;
  readonly out: PacedOutput;
}

/** Lists frames, or the steps of a recording. */
export function framesView({
  connection,
  out,
  json,
}: ListOptions & { readonly json: boolean }): SavedView {
  const filter = new ConnectionFilter(connection);
  const problems = new Problems();
  const list = new FrameList((step) => {
    if (step.kind === 'stop') problems.add(step.connection, step.message);
    out.write(json ? `${printableJson(step)}\n` : `${listLine(step)}\n`);
  });
  return {
    event(event) {
      filter.count(event);
      if (filter.includes(event)) list.take(event);
    },
    change(change) {
      filter.count(change);
      if (!filter.includes(change)) return;
      if (isUnshowable(change)) problems.add(change.connection, change.change.event.label);
      out.write(json ? recordingLine(change) : changeLine(change));
    },
    finish: () => Promise.resolve(),
    notes: () => [],
    problems: () => problems.all(),
    missing: () => filter.missing(),
  };
}

/** Writes a recording. */
export function recordingView({ connection, out }: ListOptions): SavedView {
  const filter = new ConnectionFilter(connection);
  const view = viewOfChanges(filter, (change) => {
    if (filter.includes(change)) out.write(recordingLine(change));
  });
  out.write(recordingHeader);
  return view;
}

export interface DrawOptions extends PicturesOptions {
  readonly out: PacedOutput;
  /** What {@link out} writes to. */
  readonly stdout: TerminalOutput;
  /** The file to draw into; undefined for the terminal. */
  readonly svg: string | undefined;
  readonly width: number | undefined;
  readonly force: boolean;
}

/** Draws each connection. */
export function drawView(options: DrawOptions): SavedView {
  const { connection, svg, out } = options;
  const pictures = new Pictures(options);
  const written: string[] = [];
  return {
    ...viewOfChanges(new ConnectionFilter(connection), (change) => pictures.take(change)),
    async finish() {
      const all = pictures.all();
      if (svg === undefined) out.write(all.map((picture) => textOf(picture, options)).join('\n'));
      else
        for (const picture of all)
          written.push(
            await drawFile(picture, all.length === 1 ? svg : numbered(svg, picture), options),
          );
    },
    notes() {
      const drawn = pictures.all().length;
      const files = written.map((file) => `Drawn: ${file}`);
      if (drawn === pictures.connections || pictures.connections === 0) return files;
      if (connection !== undefined) return files;
      return [
        ...files,
        `Drawn are ${drawn} of ${count(pictures.connections, 'connection')}; ` +
          '--connection N draws one of the others.',
      ];
    },
  };
}

function viewOfChanges(filter: ConnectionFilter, take: (change: TapChange) => void): SavedView {
  const problems = new Problems();
  const report = (change: TapChange): void => {
    filter.count(change);
    if (filter.includes(change) && isUnshowable(change))
      problems.add(change.connection, change.change.event.label);
    take(change);
  };
  const changes = new SavedChanges(report);
  return {
    event(event) {
      // Other connections are only counted.
      if (filter.includes(event) || event.kind === 'opened' || event.kind === 'closed')
        changes.take(event);
    },
    change: report,
    finish: () => Promise.resolve(),
    notes: () => [],
    problems: () => problems.all(),
    missing: () => filter.missing(),
  };
}

function textOf({ diagram }: Picture, { width, stdout }: DrawOptions): string {
  const terminal = terminalOf(process.env, stdout);
  const options = {
    ...terminal,
    millisecondsPerStep: drawnStep(diagram),
    ...(width === undefined ? {} : { width }),
  };
  return `${toText(diagram, options)}\n`;
}

async function drawFile(
  { diagram, connection }: Picture,
  path: string,
  { width, force }: DrawOptions,
): Promise<string> {
  const file = await PartialFile.create(path, force);
  try {
    const id = `${basename(path, extname(path))}-${connection}`;
    await file.append(
      encodeText(
        toSvg(diagram, {
          id,
          millisecondsPerStep: drawnStep(diagram),
          ...(width === undefined ? {} : { width }),
        }),
      ),
    );
    await file.publish();
    return path;
  } finally {
    file.discard();
  }
}

/** `out.svg` as `out-3.svg`. */
function numbered(path: string, { connection }: Picture): string {
  const ending = extname(path);
  return `${path.slice(0, path.length - ending.length)}-${connection}${ending}`;
}
