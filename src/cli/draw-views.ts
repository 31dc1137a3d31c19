import { basename, extname } from 'node:path';
import { toSvg } from '../marble/svg.js';
import { toText } from '../marble/text.js';
import type { TapChange } from '../tap/tap-change.js';
import { toBytes } from '../wire/text.js';
import { SavedChanges } from './draw-changes.js';
import type { SavedEvent } from './draw-event.js';
import { FrameList, changeLine, listLine } from './draw-frames.js';
import { Pictures, type Picture, type PicturesOptions } from './draw-pictures.js';
import { Troubles, isTrouble } from './draw-troubles.js';
import { PartialFile } from './partial-file.js';
import type { PacedOutput } from './paced-output.js';
import { recordingHeader, recordingLine } from './recording-file.js';
import type { TerminalOutput } from './surroundings.js';
import { terminalOf } from './terminal.js';
import { count } from './units.js';

/** A way to show saved conversations. It gets either what the connections say, or what was made of them when they were recorded. */
export interface View {
  event(event: SavedEvent): void;
  change(change: TapChange): void;
  finish(): Promise<void>;
  /** What a person may want to know beside. */
  notes(): readonly string[];
  /** Where something could not be shown to its end, and why. */
  troubles(): readonly string[];
}

interface ListOptions {
  /** The one that is wanted; default all. */
  readonly connection: number | undefined;
  readonly out: PacedOutput;
}

/** Lists frames; of a recording, what it has. */
export function framesView({ connection: wanted, out, json }: ListOptions & { readonly json: boolean }): View {
  const troubles = new Troubles();
  const list = new FrameList((step) => {
    if (step.kind === 'stop') troubles.add(step.connection, step.message);
    out.write(json ? `${JSON.stringify(step)}\n` : `${listLine(step)}\n`);
  });
  return {
    event(event) {
      if (isWanted(wanted, event)) list.take(event);
    },
    change(change) {
      if (!isWanted(wanted, change)) return;
      if (isTrouble(change)) troubles.add(change.connection, change.change.event.label);
      out.write(json ? recordingLine(change) : changeLine(change));
    },
    finish: () => Promise.resolve(),
    notes: () => [],
    troubles: () => troubles.all(),
  };
}

/** Writes a recording. */
export function recordingView({ connection: wanted, out }: ListOptions): View {
  const view = viewOfChanges(wanted, (change) => {
    if (isWanted(wanted, change)) out.write(recordingLine(change));
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
  const { connection: wanted, svg, out } = options;
  const pictures = new Pictures(options);
  const written: string[] = [];
  return {
    ...viewOfChanges(wanted, (change) => pictures.take(change)),
    async finish() {
      const all = pictures.all();
      if (svg === undefined) out.write(all.map((picture) => textOf(picture, options)).join('\n'));
      else for (const picture of all) written.push(await drawFile(picture, all.length === 1 ? svg : numbered(svg, picture), options));
    },
    notes() {
      const drawn = pictures.all().length;
      const files = written.map((file) => `Drawn: ${file}`);
      if (drawn === pictures.connections || pictures.connections === 0) return files;
      if (wanted === undefined)
        return [...files, `Drawn are ${drawn} of ${count(pictures.connections, 'connection')}; --connection N draws one of the others.`];
      return drawn > 0 ? files : [`There is no connection ${wanted}; the file has ${pictures.connections}.`];
    },
  };
}

function viewOfChanges(wanted: number | undefined, take: (change: TapChange) => void): View {
  const troubles = new Troubles();
  const told = (change: TapChange): void => {
    if (isWanted(wanted, change) && isTrouble(change)) troubles.add(change.connection, change.change.event.label);
    take(change);
  };
  const changes = new SavedChanges(told);
  return {
    event(event) {
      // Connections that are not wanted are counted, and no more than that.
      if (isWanted(wanted, event) || event.kind === 'opened' || event.kind === 'closed') changes.take(event);
    },
    change: told,
    finish: () => Promise.resolve(),
    notes: () => [],
    troubles: () => troubles.all(),
  };
}

function isWanted(wanted: number | undefined, { connection }: { readonly connection: number }): boolean {
  return wanted === undefined || wanted === connection;
}

function textOf({ diagram }: Picture, { width, stdout }: DrawOptions): string {
  const terminal = terminalOf(process.env, stdout);
  return `${toText(diagram, { ...terminal, ...(width === undefined ? {} : { width }) })}\n`;
}

async function drawFile({ diagram, connection }: Picture, path: string, { width, force }: DrawOptions): Promise<string> {
  const file = await PartialFile.create(path, force);
  try {
    const id = `${basename(path, extname(path))}-${connection}`;
    await file.append(toBytes(toSvg(diagram, { id, ...(width === undefined ? {} : { width }) })));
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
