import { basename, extname } from 'node:path';
import { toSvg } from '../../../diagram/svg/svg.js';
import { toText } from '../../../diagram/text/text.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { encodeText } from '../../../wire/text.js';
import { SavedChanges } from './draw-changes.js';
import type { SavedEvent } from './draw-event.js';
import { FrameList, changeLine, listLine } from './draw-frames.js';
import { Pictures, type Picture, type PicturesOptions } from './draw-pictures.js';
import { Troubles, isTrouble } from './draw-troubles.js';
import { drawnStep } from './drawn-step.js';
import { Wanted } from './draw-wanted.js';
import { PartialFile } from '../../terminal/partial-file.js';
import type { PacedOutput } from '../../terminal/paced-output.js';
import { recordingHeader, recordingLine } from './recording-file.js';
import type { TerminalOutput } from '../surroundings.js';
import { terminalOf } from '../../terminal/terminal.js';
import { count } from '../../terminal/units.js';

/** A way to show saved conversations. It gets either what the connections say, or what was made of them when they were recorded. */
export interface View {
  event(event: SavedEvent): void;
  change(change: TapChange): void;
  finish(): Promise<void>;
  /** What a person may want to know beside. */
  notes(): readonly string[];
  /** Where something could not be shown to its end, and why. */
  troubles(): readonly string[];
  /** That the one connection that is wanted was not there. */
  missing(): string | undefined;
}

interface ListOptions {
  /** The one that is wanted; default all. */
  readonly connection: number | undefined;
  readonly out: PacedOutput;
}

/** Lists frames; of a recording, what it has. */
export function framesView({
  connection,
  out,
  json,
}: ListOptions & { readonly json: boolean }): View {
  const wanted = new Wanted(connection);
  const troubles = new Troubles();
  const list = new FrameList((step) => {
    if (step.kind === 'stop') troubles.add(step.connection, step.message);
    out.write(json ? `${JSON.stringify(step)}\n` : `${listLine(step)}\n`);
  });
  return {
    event(event) {
      wanted.count(event);
      if (wanted.includes(event)) list.take(event);
    },
    change(change) {
      wanted.count(change);
      if (!wanted.includes(change)) return;
      if (isTrouble(change)) troubles.add(change.connection, change.change.event.label);
      out.write(json ? recordingLine(change) : changeLine(change));
    },
    finish: () => Promise.resolve(),
    notes: () => [],
    troubles: () => troubles.all(),
    missing: () => wanted.missing(),
  };
}

/** Writes a recording. */
export function recordingView({ connection, out }: ListOptions): View {
  const wanted = new Wanted(connection);
  const view = viewOfChanges(wanted, (change) => {
    if (wanted.includes(change)) out.write(recordingLine(change));
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
export function drawView(options: DrawOptions): View {
  const { connection, svg, out } = options;
  const pictures = new Pictures(options);
  const written: string[] = [];
  return {
    ...viewOfChanges(new Wanted(connection), (change) => pictures.take(change)),
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
        `Drawn are ${drawn} of ${count(pictures.connections, 'connection')}; --connection N draws one of the others.`,
      ];
    },
  };
}

function viewOfChanges(wanted: Wanted, take: (change: TapChange) => void): View {
  const troubles = new Troubles();
  const told = (change: TapChange): void => {
    wanted.count(change);
    if (wanted.includes(change) && isTrouble(change))
      troubles.add(change.connection, change.change.event.label);
    take(change);
  };
  const changes = new SavedChanges(told);
  return {
    event(event) {
      // Connections that are not wanted are counted, and no more than that.
      if (wanted.includes(event) || event.kind === 'opened' || event.kind === 'closed')
        changes.take(event);
    },
    change: told,
    finish: () => Promise.resolve(),
    notes: () => [],
    troubles: () => troubles.all(),
    missing: () => wanted.missing(),
  };
}

function textOf({ diagram }: Picture, { width, stdout }: DrawOptions): string {
  const terminal = terminalOf(process.env, stdout);
  return `${toText(diagram, { ...terminal, millisecondsPerStep: drawnStep(diagram), ...(width === undefined ? {} : { width }) })}\n`;
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
