import { constants, existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { hostname } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { IncomingRequest } from '../../exchange/service.js';
import { parseDles } from '../../wire/dle-parse.js';
import type { Dle } from '../../wire/dle.js';
import { AmandaError } from '../../wire/errors.js';
import type { Features } from '../../wire/features.js';
import { messageOf, printable, decodeText } from '../../wire/text.js';
import { openBeneath } from './open-beneath.js';
import { requestFeatures, requestOptions } from '../process/request-options.js';

/** What every request for a dump says. */
export interface DumpHead {
  readonly features: Features;
  /** The requester's name for this host. */
  readonly host: string;
  readonly dle: Dle;
  readonly level: number;
}

/** A path, or what is open there and is to be closed. */
export type PathOrFile = string | FileHandle;

/** A valid request for the dump of a directory. */
export interface DumpRequest extends DumpHead {
  readonly directory: PathOrFile;
  /** Patterns of what to leave out, and lists of them. */
  readonly excludes: readonly string[];
  readonly excludeLists: readonly PathOrFile[];
}

/** Limits what may be dumped. */
export interface DumpPermission {
  /**
   * Only these directories and their contents, links resolved; lists of what to leave out as well.
   * What is opened there is passed on as a descriptor, which needs /proc. Default: all that is
   * readable, by name.
   */
  readonly roots?: readonly string[] | undefined;
  /** Whether an entry may be dumped. Default: yes. */
  readonly allow?:
    ((dle: Dle, request: IncomingRequest) => boolean | PromiseLike<boolean>) | undefined;
}

/**
 * Reads a request for the dump of a directory, of at most this level.
 *
 * Rejects with `BAD_REQUEST` when the request is malformed or not supported, and with
 * `ACCESS_DENIED`. The message is the text of the reply's ERROR line.
 */
export async function readDumpRequest(
  request: IncomingRequest,
  permission: DumpPermission,
  maxLevel = Infinity,
): Promise<DumpRequest> {
  const head = readDumpHead(request);
  if (head.level > maxLevel)
    throw refuse(`[sendbackup: level ${head.level} is not possible here, only ${maxLevel} is]`);
  const { named, directory } = await permitted(head.dle, request, permission);
  try {
    const excludeLists = await listsOf(head.dle, named, permission);
    return { ...head, directory, excludes: head.dle.exclude?.files ?? [], excludeLists };
  } catch (error) {
    await closeFiles([directory]);
    throw error;
  }
}

/** Closes what is open. */
export async function closeFiles(files: readonly PathOrFile[]): Promise<void> {
  for (const file of files) if (typeof file !== 'string') await file.close();
}

/** Reads what every request for a dump says. Throws `BAD_REQUEST`. */
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

/** The DLEs after the OPTIONS line of a request. Throws `BAD_REQUEST` when they are malformed. */
export function requestDles(args: Uint8Array): readonly Dle[] {
  const newline = args.indexOf(0x0a);
  try {
    return parseDles(newline < 0 ? '' : decodeText(args.subarray(newline + 1)));
  } catch (error) {
    throw malformed(messageOf(error));
  }
}

function oneDle(args: Uint8Array): Dle {
  const [dle, another] = requestDles(args);
  if (dle === undefined) throw malformed('One DLE required');
  if (another !== undefined) throw malformed('Only one DLE allowed');
  return dle;
}

/** The first setting of an entry that no dump of ours supports, as a sentence. */
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
): Promise<{ readonly named: string; readonly directory: PathOrFile }> {
  const named = dle.diskdevice ?? dle.disk;
  const denied = new AmandaError(
    'ACCESS_DENIED',
    `[sendbackup: ${printable(named)} is not offered for backup here]`,
  );
  if (!isAbsolute(named) || named.includes('\0'))
    throw refuse(`[sendbackup: ${printable(named)} is not the absolute path of a directory]`);
  if (allow !== undefined && !(await allow(dle, request))) throw denied;
  if (roots === undefined) return { named, directory: named };
  if (!existsSync('/proc/self/fd'))
    throw refuse('[sendbackup: this system has no /proc, which the choice of folders needs]');
  const directory = await openBeneath(roots, named, 'directory');
  if (directory === undefined) throw denied;
  return { named, directory };
}

/** The lists of an entry. One outside the roots is as good as none, so it tells nothing. */
async function listsOf(
  { exclude }: Dle,
  directory: string,
  { roots }: DumpPermission,
): Promise<readonly PathOrFile[]> {
  const lists: PathOrFile[] = [];
  for (const list of exclude?.lists ?? []) {
    const file = resolve(directory, list);
    const found = await listAt(file, roots);
    if (found !== undefined) {
      lists.push(found);
    } else if (exclude?.optional !== true) {
      await closeFiles(lists);
      throw refuse(`[sendbackup: cannot read the exclude list ${printable(file)}]`);
    }
  }
  return lists;
}

/** tar reads a list to its end, even a device; so it must be a file of a plausible size. */
async function listAt(
  path: string,
  roots: readonly string[] | undefined,
): Promise<PathOrFile | undefined> {
  const file =
    roots === undefined
      ? await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => undefined)
      : await openBeneath(roots, path, 'file');
  if (file === undefined) return undefined;
  const found = await file.stat();
  const isList = found.isFile() && found.size <= MOST_LIST_BYTES;
  if (isList && roots !== undefined) return file;
  await file.close();
  return isList ? path : undefined;
}

const MOST_LIST_BYTES = 1_048_576;

function malformed(why: string): AmandaError {
  return refuse(`FORMAT ERROR IN REQUEST PACKET '${printable(why)}'`);
}

function refuse(why: string): AmandaError {
  return new AmandaError('BAD_REQUEST', why);
}
