import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, relative, resolve } from 'node:path';
import type { IncomingRequest } from '../../exchange/service.js';
import { parseDles } from '../../wire/dle-parse.js';
import type { Dle } from '../../wire/dle.js';
import { AmandaError } from '../../wire/errors.js';
import type { Features } from '../../wire/features.js';
import { printable, decodeText } from '../../wire/text.js';
import { requestFeatures, requestOptions } from '../process/request-options.js';

/** What a request for a dump says, whatever it is a dump of. */
export interface DumpHead {
  readonly features: Features;
  /** This host, as the requester calls it. */
  readonly host: string;
  readonly dle: Dle;
  readonly level: number;
}

/** What a request for the dump of a directory asks for, checked. */
export interface DumpRequest extends DumpHead {
  /** An absolute path. */
  readonly directory: string;
  /** Options for tar that leave things out. */
  readonly excludes: readonly string[];
}

/** Who may dump what. */
export interface DumpPermission {
  /** Only these directories and what is in them, symbolic links followed. Default: whatever this process can read. */
  readonly roots?: readonly string[] | undefined;
  /** Whether an entry may be dumped. Default: yes. */
  readonly allow?:
    ((dle: Dle, request: IncomingRequest) => boolean | PromiseLike<boolean>) | undefined;
}

/**
 * Reads a request for the dump of a directory.
 *
 * Rejects with `BAD_REQUEST` for what cannot be understood or is not supported, and with `ACCESS_DENIED`;
 * the message is what an ERROR line of the reply says.
 */
export async function readDumpRequest(
  request: IncomingRequest,
  permission: DumpPermission,
): Promise<DumpRequest> {
  const head = readDumpHead(request);
  const directory = await permitted(head.dle, request, permission);
  return { ...head, directory, excludes: await excludesOf(head.dle, directory) };
}

/** Reads what every request for a dump says. Throws `BAD_REQUEST` as {@link readDumpRequest} rejects with it. */
export function readDumpHead(request: IncomingRequest): DumpHead {
  const options = requestOptions(request.arguments);
  if (options.entries.length === 0) throw refuse('[Missing OPTIONS line in sendbackup input]');
  const dle = oneDle(request.arguments);
  const unsupported = whatIsUnsupported(dle);
  if (unsupported !== undefined) throw refuse(`[sendbackup: ${unsupported}]`);
  const [level, another] = dle.levels ?? [];
  if (level === undefined) throw malformed('no valid sendbackup request');
  if (another !== undefined) throw malformed('Too many level');
  return {
    features: requestFeatures(options),
    host: options.hostname ?? hostname(),
    dle,
    level: level.level,
  };
}

/** The DLEs behind the OPTIONS line of a request. Throws `BAD_REQUEST` when they cannot be read. */
export function requestDles(args: Uint8Array): readonly Dle[] {
  const newline = args.indexOf(0x0a);
  try {
    return parseDles(newline < 0 ? '' : decodeText(args.subarray(newline + 1)));
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

function oneDle(args: Uint8Array): Dle {
  const [dle, another] = requestDles(args);
  if (dle === undefined) throw malformed('One DLE required');
  if (another !== undefined) throw malformed('Only one DLE allowed');
  return dle;
}

/** What an entry asks for that no dump of ours has; undefined when there is no such thing. */
export function whatIsUnsupported({
  program,
  compress,
  encrypt,
  kencrypt,
  datapath,
  include,
  scripts,
}: Dle): string | undefined {
  if (program === 'APPLICATION')
    return 'programs of type APPLICATION are not supported here, only GNUTAR is';
  if (program !== 'GNUTAR') return `unknown program ${printable(program, 40)}`;
  if (compress !== undefined && !compress.method.startsWith('SERVER-'))
    return 'compression on the client is not supported here';
  if (encrypt?.method === 'CUSTOM' || kencrypt === true)
    return 'encryption on the client is not supported here';
  if (datapath?.kind === 'DIRECTTCP') return 'the data path DIRECTTCP is not supported here';
  if (include !== undefined && include.files.length + include.lists.length > 0)
    return 'include lists are not supported here';
  return scripts === undefined ? undefined : 'scripts are not supported here';
}

async function permitted(
  dle: Dle,
  request: IncomingRequest,
  { roots, allow }: DumpPermission,
): Promise<string> {
  const named = dle.diskdevice ?? dle.disk;
  const denied = new AmandaError(
    'ACCESS_DENIED',
    `[sendbackup: ${printable(named)} is not offered for backup here]`,
  );
  if (!isAbsolute(named) || named.includes('\0'))
    throw refuse(`[sendbackup: ${printable(named)} is not the absolute path of a directory]`);
  if (allow !== undefined && !(await allow(dle, request))) throw denied;
  if (roots === undefined) return named;
  try {
    const directory = await realpath(named);
    for (const root of roots) if (isInside(directory, await realpath(root))) return directory;
  } catch {
    // What is not there is not offered.
  }
  throw denied;
}

function isInside(directory: string, root: string): boolean {
  const way = relative(root, directory);
  return way !== '..' && !way.startsWith('../');
}

async function excludesOf({ exclude }: Dle, directory: string): Promise<readonly string[]> {
  if (exclude === undefined) return [];
  const lists: string[] = [];
  for (const list of exclude.lists) {
    const file = resolve(directory, list);
    if (await isList(file)) lists.push(`--exclude-from=${file}`);
    else if (!exclude.optional)
      throw refuse(`[sendbackup: cannot read the exclude list ${printable(file)}]`);
  }
  return [...exclude.files.map((pattern) => `--exclude=${pattern}`), ...lists];
}

/** tar reads a list to its end, whatever it is: it has to be a file, and of a size that a list may have. */
async function isList(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    const found = await stat(file);
    return found.isFile() && found.size <= MOST_LIST_BYTES;
  } catch {
    return false;
  }
}

const MOST_LIST_BYTES = 1_048_576;

function malformed(why: string): AmandaError {
  return refuse(`FORMAT ERROR IN REQUEST PACKET '${printable(why)}'`);
}

function refuse(why: string): AmandaError {
  return new AmandaError('BAD_REQUEST', why);
}
